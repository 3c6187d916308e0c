// Checks all cells of one version of TypeScript: node check-types.mjs <project> <version>
// Prints JSON: the exact version, the number of cells, and the faults of each cell.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { TOOLS } from "../tasks/install.mjs";
import { typeCells } from "./type-cells.mjs";

const [project, key] = process.argv.slice(2);
const require = createRequire(join(TOOLS, "package.json"));
const { version } = require(`typescript-${key}/package.json`);

// Only what the user and the packages wrote: a platform's own declarations are not under test.
const isUnderTest = (file) => /^[^/]+$|^node_modules\/@upgrade\//.test(file);
const inProject = (file) =>
  file.replaceAll("\\", "/").replace(`${project}/`.replaceAll("\\", "/"), "");

const cells = typeCells(Number(key));
// From 7 on, TypeScript is a native program without an API.
const check = Number(key) < 7 ? checkWithApi(require(`typescript-${key}`)) : checkWithProgram();
const faults = {};
for (const cell of cells) {
  const found = check(cell);
  if (found.length > 0) faults[cell.name] = found;
}
// The check itself: a wrong type must be found.
const caught = check({ ...cells[0], files: ["same.d.ts", "wrong.mts"] });
if (caught.length !== 1 || !caught[0].includes("TS2322")) faults["a wrong type"] = ["not found"];
console.log(JSON.stringify({ version, cells: cells.length, faults }));

/** Sixty programs in one process share the files that they have parsed. */
function checkWithApi(ts) {
  const parsed = new Map();
  return ({ compilerOptions, files }) => {
    const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, project);
    const host = ts.createCompilerHost(options);
    host.getCurrentDirectory = () => project;
    const parse = host.getSourceFile;
    host.getSourceFile = (file, how, ...rest) => {
      // Node16 and nodenext share what they parse; for a bundler a file has no format.
      const name = `${how.impliedNodeFormat} ${file}`;
      if (!parsed.has(name)) parsed.set(name, parse(file, how, ...rest));
      return parsed.get(name);
    };
    const rootNames = files.map((file) => join(project, file));
    const program = ts.createProgram({ rootNames, options, host });
    const tested = program
      .getSourceFiles()
      .filter(({ fileName }) => isUnderTest(inProject(fileName)));
    const diagnostics = [
      ...program.getOptionsDiagnostics(),
      ...program.getGlobalDiagnostics(),
      ...tested.flatMap((file) => program.getSyntacticDiagnostics(file)),
      ...tested.flatMap((file) => program.getSemanticDiagnostics(file)),
    ];
    const formatting = {
      getCurrentDirectory: () => project,
      getCanonicalFileName: (name) => name,
      getNewLine: () => "\n",
    };
    return [
      ...diagnostics.map((one) => ts.formatDiagnostic(one, formatting).trim()),
      ...strayFiles(tested.map(({ fileName }) => inProject(fileName))),
    ];
  };
}

function checkWithProgram() {
  const tsc = join(TOOLS, `node_modules/typescript-${key}/bin/tsc`);
  return ({ compilerOptions, files }) => {
    const config = join(project, `tsconfig.${key}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions, files }));
    const args = [tsc, "--project", config, "--pretty", "false", "--listFiles"];
    const { stdout, error } = spawnSync(process.execPath, args, { cwd: project, encoding: "utf8" });
    if (error !== undefined) throw error;
    const lines = stdout.split(/\r?\n/).filter((line) => line !== "");
    const listed = lines.map(inProject).filter((line) => /^[^(]+\.[cm]?ts$/.test(line));
    const found = lines.filter((line) => / ?error TS\d+: /.test(line)).map(inProject);
    return [
      ...found.filter(
        (line) => !line.includes("(") || isUnderTest(line.slice(0, line.indexOf("("))),
      ),
      ...strayFiles(listed.filter(isUnderTest)),
    ];
  };
}

/** Every package is found by its declarations, never by its sources. */
function strayFiles(files) {
  const shipped = files.filter((file) => file.startsWith("node_modules/"));
  const stray = shipped.filter((file) => !/\/dist\/.*\.d\.c?ts$/.test(file));
  if (shipped.length === 0) stray.push("no declarations of the packages were read");
  return stray;
}
