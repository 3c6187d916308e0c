// Compiles a program against the packed packages and the runtime's own types.
import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { local, root } from "../tasks/run.mjs";

const TYPED = join(root, "packages/conformance/runtimes/typed");

const copied = (word, project) => {
  const file = `typed-${word}.ts`;
  copyFileSync(join(TYPED, `${word}.ts`), join(project, file));
  return file;
};

/** With the types that are in Deno itself. */
export function checkByDeno(word, project, binary) {
  return complaints(binary, ["check", "--quiet", copied(word, project)], project);
}

/** With a package of types, in a folder of such packages. */
export const checkByTypeScript = (name) => (word, project, _binary, folder) => {
  const config = `typed-${word}.json`;
  const [types, ...scope] = name.split("/").reverse();
  const compilerOptions = {
    noEmit: true,
    strict: true,
    target: "es2022",
    lib: ["es2022"],
    module: "nodenext",
    moduleResolution: "nodenext",
    typeRoots: [join(folder, ...scope)],
    types: [types],
    // A runtime's declarations are not under test.
    skipLibCheck: true,
  };
  const files = [copied(word, project)];
  writeFileSync(join(project, config), JSON.stringify({ compilerOptions, files }));
  return complaints(process.execPath, [local("typescript/bin/tsc"), "-p", config], project);
};

/** What a compiler complains about; empty if nothing. */
function complaints(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined) return error.message;
  return status === 0 ? "" : `${stdout}${stderr}`.trim();
}
