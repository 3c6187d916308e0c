// Checks that every name in code font in the glossary occurs in the sources, to catch renames.
import { readdirSync } from "node:fs";
import { read, root } from "./markdown.mjs";

const GLOSSARY = "docs/glossary.md";

export function checkGlossary() {
  const names = new Set(
    [...read(GLOSSARY).matchAll(/`([A-Za-z][\w.-]*)(?:\(\))?`/g)].map(([, name]) => name),
  );
  const sources = sourceFiles().map(read).join("\n");
  const faults = [...names]
    .filter((name) => !name.split(".").every((part) => sources.includes(part)))
    .map((name) => `${GLOSSARY}: ${name} is in no source file`);
  return { faults, count: names.size };
}

/** The sources of the published packages, without tests. */
export function sourceFiles() {
  return ["core", "client", "server", "websocket", "proxy", "node"].flatMap((name) => {
    const folder = `packages/${name}/src/`;
    return readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
      .map((file) => folder + file.replaceAll("\\", "/"))
      .filter((file) => /(?<!\.test)\.ts$/.test(file));
  });
}
