// A picture that is gone leaves no broken one, whether it failed before this script or will fail.
const drop = (image) => image.remove();
for (const image of [...document.images]) if (image.complete && !image.naturalWidth) drop(image);
addEventListener("error", ({ target }) => target.localName === "img" && drop(target), true);
// Tells the page around this frame how high the frame's content is, as Embedly's frames do.
if (parent !== window) {
  const tell = () => {
    // Unlike scrollHeight, no more than the content where the frame is higher.
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    parent.postMessage(JSON.stringify({ context: "iframe.resize", src: location.href, height }), "*");
  };
  new ResizeObserver(tell).observe(document.documentElement);
  // Whoever listens may come later, and a frame out of sight observes nothing.
  for (let wait = 250; wait < 1e5; wait *= 2) setTimeout(tell, wait);
  tell();
}
