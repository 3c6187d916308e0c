// Every name the glossary writes as code is a name of the sources: a word that was renamed is found.
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
    .map((name) => `${GLOSSARY}: no source knows ${name}`);
  return { faults, count: names.size };
}

/** The sources of the published packages, tests apart. */
export function sourceFiles() {
  return ["core", "client", "server"].flatMap((name) => {
    const folder = `packages/${name}/src/`;
    return readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
      .map((file) => folder + file.replaceAll("\\", "/"))
      .filter((file) => /(?<!\.test)\.ts$/.test(file));
  });
}
