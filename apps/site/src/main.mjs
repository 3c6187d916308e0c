// Builds the site into dist: node apps/site/src/main.mjs
import { build } from "vitepress";
import { checkSite } from "./check.mjs";
import { DIST, site } from "./places.mjs";
import { writeTexts } from "./texts.mjs";
import { writePages } from "./write.mjs";

const written = writePages();
await build(site);
const texts = writeTexts(written);
const { faults, pages, links } = checkSite({
  texts: written.texts,
  names: written.reference.names,
});
faults.push(...written.reference.faults);
for (const fault of faults) console.error(fault);
console.log(
  `${pages} pages, ${written.reference.names.length} public names, ${links} links, ` +
    `${texts} kB in llms-full.txt; ${faults.length} faults: ${DIST}index.html`,
);
if (faults.length > 0) process.exit(1);
