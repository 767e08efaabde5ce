// Remove pictures that cannot be loaded, also those that failed before this script ran.
const drop = (image) => image.remove();
for (const image of [...document.images]) if (image.complete && !image.naturalWidth) drop(image);
addEventListener("error", ({ target }) => target.localName === "img" && drop(target), true);
// Tell the page around this frame the height of the content, as the frames of Embedly do.
if (parent !== window) {
  const tell = () => {
    // Unlike scrollHeight, this is the height of the content where the frame is higher.
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    parent.postMessage(JSON.stringify({ context: "iframe.resize", src: location.href, height }), "*");
  };
  new ResizeObserver(tell).observe(document.documentElement);
  // The listener may be loaded later, and observers do not run while the frame is out of sight.
  for (let wait = 250; wait < 1e5; wait *= 2) setTimeout(tell, wait);
  tell();
}
