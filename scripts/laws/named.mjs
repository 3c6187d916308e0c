// Finds the tests that name a law, in their own or their group's title, or as a fixture story.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { root } from "../mutations/book.mjs";

const FIXTURES = "packages/conformance/fixtures/";
/** Plays the stories; the name of each test lists its laws. */
const STORY_TESTS = "packages/conformance/test/evidence/fixtures.test.ts";

// "L7: a title", "L7 account, over $name", "L10, Z01: a title", "a title (L7)".
const TITLE =
  /(["`])(L[0-9]{1,2}(?:, [A-Z][0-9]{1,2})*[: ][^"`\n]*|[^"`\n]*\([^()"`\n]*\bL[0-9]{1,2}\))\1/g;

/** All tests and stories that name a law: `{ file, title, laws, runs }`; `runs` is the file to run. */
export function findNamed() {
  const files = ["packages/", "apps/"].flatMap((group) =>
    readdirSync(new URL(group, root))
      .sort()
      .flatMap((name) => ["src/", "test/"].flatMap((sub) => testsIn(`${group}${name}/${sub}`))),
  );
  return [...files.flatMap(titlesIn), ...storiesIn()];
}

/** The test files of a package, and those of conformance about it. */
export function testsOfMember(name) {
  return [
    `packages/${name}/src/`,
    `packages/${name}/test/`,
    `packages/conformance/test/${name}/`,
  ].flatMap(testsIn);
}

function testsIn(folder) {
  const url = new URL(folder, root);
  if (!existsSync(url)) return [];
  return readdirSync(url, { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}${file.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(".test.ts"))
    .sort();
}

function titlesIn(file) {
  const code = read(file).replace(/^\s*(?:\/\/|\*).*$/gm, "");
  return [...code.matchAll(TITLE)].map(([, , title]) => {
    return { file, title, laws: lawsOf(title), runs: file };
  });
}

function storiesIn() {
  const chapters = readdirSync(new URL(FIXTURES, root)).sort();
  return chapters
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .flatMap((name) => {
      const file = `${FIXTURES}${name}`;
      const stories = [...read(file).matchAll(/^## (.+)\n+<!-- ([^·]+) ·/gm)];
      return stories
        .map(([, title, ids]) => ({ file, title, laws: lawsOf(ids), runs: STORY_TESTS }))
        .filter(({ laws }) => laws.length > 0);
    });
}

function lawsOf(text) {
  return text.match(/\bL[0-9]{1,2}\b/g) ?? [];
}

function read(file) {
  return readFileSync(new URL(file, root), "utf8");
}
