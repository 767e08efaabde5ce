// <news-feed src="https://SITE/topics/ai/" limit="5" images="0">Shown till then</news-feed>
customElements.get("news-feed") || customElements.define("news-feed", class F extends HTMLElement {
  static observedAttributes = ["src", "limit", "images"];
  static #asked = {};
  #turn = {};

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).append(this.#make("slot", ""));
    // CSP allows it, unlike <style>.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
:host(:not([hidden])) { display: block; color: var(--news-text); font: var(--news-font) }
h2, p, ul { margin: .25em 0; padding: 0 }
h2 { font-size: 1.15em }
li { display: flex; gap: var(--news-gap, 1em); padding: var(--news-gap, 1em) 0;
  border-top: 1px solid var(--news-line, #8886); overflow-wrap: anywhere }
a { color: var(--news-accent, inherit); font-weight: bold }
a:not(:hover) { text-decoration: none }
img { flex: none; width: 96px; height: 72px; object-fit: cover }
p { color: var(--news-quiet, color-mix(in srgb, currentColor 70%, transparent)); font-size: .82em }
p + p { color: inherit; font-size: .9em; display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical;
  -webkit-line-clamp: 3 }`);
    this.shadowRoot.adoptedStyleSheets = [sheet];
  }

  disconnectedCallback() {
    this.connectedCallback();
  }

  attributeChangedCallback() {
    this.connectedCallback();
  }

  async connectedCallback(drawn) {
    clearTimeout(this.#turn.timer);
    const turn = (this.#turn = {});
    if (document.hidden) await new Promise((seen) => {
      document.addEventListener("visibilitychange", seen, { once: true });
    });
    if (!this.isConnected || turn !== this.#turn) return;
    // Elements share requests.
    const what = [this.getAttribute("src"), this.getAttribute("limit")];
    const { feed, text = drawn, age = 1800 } = await (F.#asked[what] ??= this.#read(...what));
    delete F.#asked[what];
    if (turn !== this.#turn) return;
    // Drawing again would lose focus.
    if (text !== drawn) this.#draw(feed);
    const wait = Math.min(Math.max(age, 60), 2e6) * 1000; // timers end at 24 days
    turn.timer = setTimeout(() => this.connectedCallback(text), wait);
  }

  async #read(src, limit) {
    try {
      const url = new URL(/^https?:.*/.exec(src));
      url.pathname = url.pathname.replace(/\/?$/, "/feed.json");
      const most = /^([1-9]\d?|1\d\d|200)$/.test(limit) ? limit : 5;
      url.searchParams.set("limit", most);
      url.searchParams.sort();
      // Else a 301.
      url.search = url.search.replaceAll("+", "%20").replaceAll("*", "%2A");
      const response = await fetch(url, { credentials: "omit" });
      const text = await response.text();
      const feed = response.ok && JSON.parse(text);
      const age = /max-age=(\d+)/.exec(response.headers.get("Cache-Control"))?.[1];
      // A site of files answers with its whole feed.
      feed.items = feed.items.slice(0, most);
      if (/jsonfeed/.test(feed.version)) return { feed, text, age };
    } catch {}
    return {};
  }

  #draw({ items, language: lang, title }) {
    const heading = this.#make("h2", "heading", {}, this.#link("", this.getAttribute("src"), title));
    const list = this.#make("ul", "list", { lang }, ...items.map(this.#story, this));
    this.shadowRoot.replaceChildren(heading, list);
  }

  #story({ authors, date_published: dateTime, image: src, summary, title, url }) {
    // Other tags raise errors below.
    const lang = this.closest("[lang]")?.lang.match(/^[a-z]{2,3}(-[a-z]{2})?/i)?.[0];
    const day = new Date(dateTime).toLocaleDateString(lang, { dateStyle: "long", timeZone: "UTC" });
    const time = dateTime && this.#make("time", "", { dateTime }, day);
    const name = authors?.[0]?.name;
    const meta = this.#make("p", "meta", {}, name, name && time && " · ", time);
    const text = this.#make("p", "summary", {}, summary);
    const story = this.#make("div", "", {}, this.#link("title", url, title), meta, text);
    // Pages of https block http.
    const isSafe = ["https:", location.protocol].includes(/^https?:/.exec(src)?.[0]);
    const isShown = isSafe && this.getAttribute("images") !== "0";
    const picture = { alt: "", loading: "lazy", referrerPolicy: "no-referrer", src };
    picture.onerror = ({ target }) => target.remove();
    return this.#make("li", "item", {}, isShown && this.#make("img", "picture", picture), story);
  }

  #link(part, href, text) {
    return this.#make("a", part, /^https?:/.test(href) && { href, rel: "noopener" }, text);
  }

  // Text and web addresses: nothing that a feed says can run.
  #make(tag, part, properties, ...children) {
    const node = Object.assign(document.createElement(tag), { part }, properties);
    node.append(...children.filter(Boolean));
    return node;
  }
});

// Our frames tell how high they are.
{
  // Modules have none.
  const site = document.currentScript?.src.match(/^https?:..[^/]+/)?.[0];
  addEventListener("message", ({ data, origin, source }) => {
    try {
      const { context, height } = JSON.parse(data);
      if (context !== "iframe.resize" || height !== Math.min(Math.max(height, 1), 1e4)) return;
      for (const { contentWindow, src, style } of document.querySelectorAll("iframe")) {
        const isOurs = site ? origin === site : /^[^?#]+\/embed\/?([?#]|$)/.test(src);
        if (!isOurs || contentWindow !== source || !src.startsWith(origin + "/")) continue;
        style.height = height + "px";
      }
    } catch {}
  });
}
