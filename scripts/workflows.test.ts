import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL("../.github/workflows/", import.meta.url);
const workflows = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(new URL(name, folder), "utf8"),
}));

/** Each job with its text. */
function jobsOf(text: string): Map<string, string> {
  const [, jobs = ""] = text.split(/^jobs:\n/m);
  const parts = jobs.split(/^ {2}(\w+):\n/m).slice(1);
  return new Map(
    parts.flatMap((name, at) => (at % 2 === 0 ? [[name, parts[at + 1] ?? ""] as const] : [])),
  );
}

const rightsOf = (job: string): string[] => {
  const [, list = ""] = /^ {4}permissions:\n((?: {6}.*\n)+)/m.exec(job) ?? [];
  return list.trim().split(/\n */).filter(Boolean);
};

test.each(workflows)(
  "$name uses actions by the hash of a commit, beside their version",
  ({ text }) => {
    const uses = [...text.matchAll(/uses: (.+)/g)].map(([, action]) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses)
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  },
);

test.each(workflows)("$name gives no job more than to read, unless the job says so", ({ text }) => {
  const [, top = ""] = /^permissions:(.*\n(?: {2}.*\n)*)/m.exec(text) ?? [];
  expect(["{}", "contents: read"]).toContain(top.trim());
  expect(text).not.toContain("secrets.");
});

test("a release reads to check, writes to propose versions, and identifies itself to publish", () => {
  const { text = "" } = workflows.find(({ name }) => name === "release.yml") ?? {};
  const rights = [...jobsOf(text)].map(([name, job]) => [name, rightsOf(job)]);
  expect(rights).toEqual([
    ["check", ["contents: read"]],
    ["version", ["contents: write", "pull-requests: write"]],
    ["publish", ["contents: write", "id-token: write"]],
  ]);
});

test.each(workflows)("$name leaves no credentials to what only reads", ({ text }) => {
  for (const [name, job] of jobsOf(text)) {
    if (!job.includes("actions/checkout@")) continue;
    const mayWrite = rightsOf(job).some((right) => right.endsWith(": write"));
    expect(job.includes("persist-credentials: false"), name).toBe(!mayWrite);
  }
});
