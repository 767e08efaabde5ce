// Copy buttons, and forms that show their result while somebody types.
"use strict";
{
  document.documentElement.classList.add("scripted");

  // Remove pictures that cannot be loaded, also those that failed before this script ran.
  const drop = (image) => image.closest?.(".picture")?.remove();
  document.addEventListener("error", ({ target }) => drop(target), true);
  for (const image of document.querySelectorAll(".picture img")) {
    if (image.complete && !image.naturalWidth) drop(image);
  }

  const status = document.getElementById("status");
  const announce = (text) => { status.textContent = text; };

  async function copy(button) {
    const field = document.getElementById(button.dataset.copy);
    const text = field.value ?? field.textContent;
    if (field.select) field.select();
    else getSelection().selectAllChildren(field);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers give the clipboard only to pages of https and of localhost.
      if (!document.execCommand("copy")) return announce(status.dataset.refused);
    }
    const label = button.firstChild;
    const usual = (label.usual ??= label.data);
    label.data = status.dataset.copied;
    announce(button.textContent);
    button.focus();
    setTimeout(() => { label.data = usual; }, 2000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  // The snippets and the preview follow the choices. The server wrote them for the defaults.
  const choices = document.getElementById("embed-choices");

  function follow() {
    const { theme, limit, images, width } = choices.elements;
    if (!limit.validity.valid || !width.validity.valid) return;
    const [frame, element, preview] = ["frame", "element", "preview"].map((id) => document.getElementById(`embed-${id}`));
    const holder = document.createElement("template");
    holder.innerHTML = frame.defaultValue;
    const made = holder.content.firstElementChild;
    const url = new URL(made.getAttribute("src"));
    for (const field of [theme, limit, images]) {
      const value = field.type !== "checkbox" ? field.value : field.checked ? "1" : "0";
      url.searchParams.delete(field.name);
      if (value !== field.dataset.usual) url.searchParams.set(field.name, value);
    }
    url.searchParams.sort();
    // As the site spells them, or it would answer with a redirect.
    url.search = url.search.replaceAll("+", "%20").replaceAll("*", "%2A");
    const { heading, story, plain } = choices.dataset;
    const height = +heading + limit.value * (images.checked ? story : plain);
    made.setAttribute("src", url);
    for (const each of [made, preview]) {
      each.setAttribute("width", width.value || "100%");
      each.setAttribute("height", height);
    }
    frame.value = holder.innerHTML;
    const shown = images.checked ? "" : ' images="0"';
    element.value = element.defaultValue.replace(/ limit="\d+"/, ` limit="${limit.value}"${shown}`);
    // The snippets have the `base_url` of the site, which may differ from the address of this page.
    const address = new URL(preview.src);
    address.search = url.search;
    if (address.href !== preview.src) preview.src = address;
  }

  if (choices) {
    choices.addEventListener("input", follow);
    // A browser fills the fields in again when its user goes back.
    addEventListener("pageshow", follow);
  }

  // The plot follows the slider at once; the address comes from the server.
  function cut(slider) {
    const drawing = document.querySelector("#plot svg");
    // There is nothing to choose among stories of one quality.
    if (!drawing) return;
    const steps = drawing.dataset.steps.split(" ").filter(Boolean);
    const [, rate] = steps.map((pair) => pair.split(":")).find(([quality]) => +quality >= +slider.value);
    const across = (slider.value - slider.min) / (slider.max - slider.min);
    document.querySelector("#through rect").setAttribute("x", across * 320);
    document.getElementById("cut").textContent = slider.value;
    document.getElementById("rate").textContent = rate;
  }

  // The server makes all that changes, so a form shows the same with and without a script.
  for (const form of document.querySelectorAll("form[data-live]")) {
    let timer, request;

    const refuse = (problem) => {
      const [fault, result] = [form.querySelector("#fault"), form.querySelector("#result")];
      if (!result) return announce(problem);
      fault.textContent = problem;
      result.hidden = problem !== "";
    };

    const update = async () => {
      request?.abort();
      request = new AbortController();
      const sent = [...new FormData(form)].filter(([, value]) => value.trim());
      try {
        const response = await fetch(`${form.action}?${new URLSearchParams(sent)}`, request);
        const text = await response.text();
        // A fault of the form comes as a page too, which shows it at its field.
        const isPage = /^text\/html/.test(response.headers.get("Content-Type"));
        if (!isPage) return refuse(text.replace(/^\d+ [^:]+: /, ""));
        refuse("");
        const page = new DOMParser().parseFromString(text, "text/html");
        const focused = document.activeElement?.id;
        for (const id of form.dataset.live.trim().split(" ")) {
          const [old, made] = [document.getElementById(id), page.getElementById(id)];
          // Screen readers announce changes of an element only while it stays in the page.
          if (!old || !made) continue;
          old.hidden = made.hidden;
          old.replaceChildren(...document.adoptNode(made).childNodes);
        }
        if (focused && document.activeElement.id !== focused) document.getElementById(focused)?.focus();
        for (const field of form.querySelectorAll(".another")) {
          const isFault = document.getElementById(`fault-${field.name}`).childElementCount > 0;
          if (!isFault && sent.some(([name, value]) => name === field.name && value === field.value)) field.value = "";
        }
        // On the page of the builder, the address has the choices, so that they survive a reload.
        if (response.ok && !form.role && location.pathname === new URL(form.action).pathname) history.replaceState(null, "", response.url);
        if (form.role === "search") announce(page.getElementById("status").textContent);
        const slider = form.querySelector("[type=range]");
        if (slider) {
          const { min, max, parentElement } = page.getElementById(slider.id);
          Object.assign(slider, { min, max });
          slider.parentElement.hidden = parentElement.hidden;
          cut(slider);
        }
      } catch (error) {
        if (error.name !== "AbortError") refuse(status.dataset.unanswered);
      }
    };

    const soon = (event) => {
      if (event.target.type === "range") cut(event.target);
      // A name or a search is sent when it is complete, which is the event `change`.
      if (event.type === "input" && event.target.matches(".another, [name=q]")) return;
      clearTimeout(timer);
      // An answer to an older state of the form would undo the choices made since.
      request?.abort();
      timer = setTimeout(update, 150);
    };
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    // A browser fills the form in again when its user goes back.
    addEventListener("pageshow", () => {
      const isAsMade = [...form.elements].every(({ type, className, checked, defaultChecked, value, defaultValue }) =>
        (type === "checkbox" ? checked === defaultChecked : className === "another" || value === (defaultValue ?? value)));
      if (!isAsMade) update();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(timer);
      update();
    });
  }
}
