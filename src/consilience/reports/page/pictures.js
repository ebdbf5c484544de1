"use strict";
// Pictures of items: in elements at the end of the page, or files of the folder beside it.

class Pictures {
  constructor({ of, folder }) {
    Object.assign(this, { of: new Set(of), folder, waiting: new Map() });
  }

  // An image that is decoded when it is in sight; null where the item has none.
  image(item, alt = "") {
    if (!this.of.has(item)) return null;
    const image = make("img", { alt, decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(make("span", { class: "absent" }, "The picture is not in its folder.")));
    this.fill(image, item);
    return image;
  }

  fill(image, item) {
    if (this.folder !== null) {
      image.src = `${encodeURIComponent(this.folder)}/${String(item).padStart(6, "0")}.jpg`;
      return;
    }
    const element = document.getElementById(`picture-${item}`);
    // An element that is still being read is not whole before another follows.
    if (element && (document.readyState !== "loading" || element.nextElementSibling)) {
      image.src = `data:image/jpeg;base64,${element.textContent}`;
    } else {
      if (!this.waiting.size) setTimeout(() => this.again(), 100);
      this.waiting.set(image, item);
    }
  }

  again() {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const [image, item] of waiting) if (image.isConnected) this.fill(image, item);
  }
}
