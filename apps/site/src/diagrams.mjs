// Mermaid diagrams as pictures, drawn when the site is built: a page loads no script for them.
import { mkdirSync, writeFileSync } from "node:fs";
import { renderMermaidSVG } from "beautiful-mermaid";
import { PAGES } from "./places.mjs";

const COLORS = {
  light: { bg: "#ffffff", fg: "#2b2f36", accent: "#2f5fd0", muted: "#5b6270" },
  dark: { bg: "#16181d", fg: "#dfe3ea", accent: "#8fb0ff", muted: "#9aa3b2" },
};

/** Replaces each diagram of the page at `path` by two pictures, one for each of the site's modes. */
export function drawDiagrams(path, text) {
  let count = 0;
  return text.replace(/^```mermaid\n(.*?)^```$/gms, (_, source) => {
    const name = `${path.replaceAll("/", "-")}-${++count}`;
    const pictures = Object.entries(COLORS).map(([mode, colors]) => {
      mkdirSync(`${PAGES}public/diagrams`, { recursive: true });
      writeFileSync(`${PAGES}public/diagrams/${name}-${mode}.svg`, drawn(source, colors));
      return `<img class="${mode}-only" src="/diagrams/${name}-${mode}.svg" alt="The table of moves as a diagram">`;
    });
    return `<div class="diagram">${pictures.join("")}</div>`;
  });
}

// It would load its font from elsewhere.
function drawn(source, colors) {
  return renderMermaidSVG(source, { ...colors, transparent: true }).replace(/^\s*@import .*$/m, "");
}
