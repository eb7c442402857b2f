// Looks at a laid out page as a reader would: what is cut, what overlaps, what is too faint.
(() => {
  const faults = [];
  const width = document.documentElement.clientWidth;
  const name = (e) => `${e.tagName.toLowerCase()} "${e.textContent.trim().slice(0, 40)}"`;
  const shown = (box) => box.width > 0 && box.height > 0;

  // Nothing stands beyond the screen, unless it can be scrolled to.
  for (const e of document.querySelectorAll("body *")) {
    if (e.closest(".scroll") && !e.matches(".scroll")) continue;
    if (e.closest("svg") && e.tagName !== "svg") continue;
    const box = e.getBoundingClientRect();
    if (shown(box) && (box.right > width + 1 || box.left < -1)) {
      faults.push(`beyond the screen: ${name(e)} from ${box.left} to ${box.right} of ${width}`);
    }
  }
  if (document.documentElement.scrollWidth > width) faults.push("the page scrolls sideways");

  // Words of a drawing neither meet nor leave it, and can be read.
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    if (!shown(frame)) faults.push(`an empty drawing: ${svg.getAttribute("aria-label")}`);
    const texts = [...svg.querySelectorAll("text")].map((e) => [e, e.getBoundingClientRect()]);
    for (const [e, box] of texts) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
          box.bottom > frame.bottom + 1) faults.push(`cut off: ${name(e)}`);
      if (box.height < 8) faults.push(`too small, ${box.height} px: ${name(e)}`);
    }
    for (let i = 0; i < texts.length; i++) {
      for (let j = i + 1; j < texts.length; j++) {
        const [a, b] = [texts[i][1], texts[j][1]];
        // A line of text is lower than its box.
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 &&
            b.top < a.bottom - 4) faults.push(`overlap: ${name(texts[i][0])}, ${name(texts[j][0])}`);
      }
    }
  }

  // Cells do not run into each other.
  for (const row of document.querySelectorAll("tr")) {
    const cells = [...row.children].filter((e) => shown(e.getBoundingClientRect()));
    for (const e of cells) {
      if (e.scrollWidth > e.clientWidth + 1) faults.push(`a cell overflows: ${name(e)}`);
    }
  }

  // Where a table can be scrolled, no word is broken, and no caption has to be scrolled to.
  for (const region of document.querySelectorAll(".scroll")) {
    for (const head of region.querySelectorAll("tbody th")) {
      for (const node of [...head.childNodes].filter((n) => n.nodeType === 3)) {
        for (const word of node.textContent.matchAll(/[^\s._-]+/g)) {
          const range = document.createRange();
          range.setStart(node, word.index);
          range.setEnd(node, word.index + word[0].length);
          const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
          if (lines.size > 1) faults.push(`a broken word: ${word[0]} in ${name(head)}`);
        }
      }
    }
    const caption = region.querySelector("caption");
    if (caption && caption.getBoundingClientRect().width > region.clientWidth + 1) {
      faults.push(`a caption behind the edge: ${name(caption)}`);
    }
  }

  // Text stands out from its ground: WCAG's ratio of 4.5.
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const seen = new Set();
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !shown(e.getBoundingClientRect()) || e.tagName === "title") continue;
    const style = getComputedStyle(e);
    const colour = e.tagName === "text" ? style.fill : style.color;
    const [a, b] = [light(rgb(colour)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const kind = `${e.tagName}.${e.getAttribute("class") || ""}: ${ratio.toFixed(1)}`;
    if (ratio < 4.5 && !seen.has(kind)) faults.push(`faint: ${kind}`);
    seen.add(kind);
  }
  const dark = light(ground(document.body)) < 0.2;
  const found = { width, dark, faults, texts: seen.size };
  parent.postMessage(JSON.stringify(found), "*");
})();
