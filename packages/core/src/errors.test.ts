import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { CODES, CONNECTION_CODES, LOCAL_CODES, REMOTE_CODES } from "./codes.ts";
import {
  ConnectionError,
  type ErrorCode,
  LocalProtocolError,
  RemoteProtocolError,
  UpgradeError,
} from "./errors.ts";

const codes = Object.keys(CODES) as ErrorCode[];
const classes = [
  [REMOTE_CODES, RemoteProtocolError],
  [LOCAL_CODES, LocalProtocolError],
  [CONNECTION_CODES, ConnectionError],
] as const;

function classOf(code: ErrorCode) {
  const [, Fault] = classes.find(([table]) => code in table)!;
  return Fault as new (
    code: ErrorCode,
    came?: string,
    details?: object,
  ) => UpgradeError;
}

function make(code: ErrorCode, came?: string, details = {}): UpgradeError {
  return new (classOf(code))(code, came, details);
}

test("no code is in two tables", () => {
  const sizes = classes.map(([table]) => Object.keys(table).length);
  expect(codes.length).toBe(sizes.reduce((sum, size) => sum + size));
});

test("every code is thrown somewhere in the sources", () => {
  const packages = new URL("../../", import.meta.url);
  const sources = ["core", "client", "server"]
    .flatMap((name) =>
      readdirSync(new URL(`${name}/src/`, packages), { recursive: true, encoding: "utf8" })
        .filter((file) => /(?<!\.test)\.ts$/.test(file) && !file.endsWith("codes.ts"))
        .map((file) => readFileSync(new URL(`${name}/src/${file}`, packages), "utf8")),
    )
    .join("\n");
  expect(codes.filter((code) => !sources.includes(`"${code}"`))).toEqual([]);
});

test.each(codes)("L16: %s tells its code, its fault and what a server answers", (code) => {
  const { says, status } = CODES[code];
  const error = make(code, "a");
  expect(error.code).toBe(code);
  expect(error.message).toBe(`${says}: a`);
  expect(make(code).message).toBe(says);
  expect(error.name).toBe(classOf(code).name);
  expect(error.status).toBe(status);
  if (code in LOCAL_CODES) expect(status).toBeUndefined();
  if (status !== undefined) expect([400, 408, 413, 414, 417, 431, 501, 505]).toContain(status);
});

describe("kinship", () => {
  test("each is an Error, an UpgradeError, and of its class alone", () => {
    for (const code of codes) {
      const error = make(code);
      expect(error instanceof Error && error instanceof UpgradeError).toBe(true);
      for (const [table, Fault] of classes) {
        expect(error instanceof Fault, `${code} ${Fault.name}`).toBe(code in table);
      }
    }
  });

  test("holds across copies of the package", async () => {
    vi.resetModules();
    const copy = await import("./errors.ts");
    expect(copy.RemoteProtocolError).not.toBe(RemoteProtocolError);
    const foreign = new copy.RemoteProtocolError("BAD_HOST");
    expect(foreign instanceof RemoteProtocolError).toBe(true);
    expect(foreign instanceof UpgradeError).toBe(true);
    expect(foreign instanceof LocalProtocolError).toBe(false);
  });

  test("is not claimed by what is no error of ours", () => {
    for (const stranger of [new Error("x"), {}, null, undefined, "BAD_HOST", 1]) {
      expect((stranger as object) instanceof UpgradeError).toBe(false);
    }
  });
});

describe("details", () => {
  test("the first word on each point stays", () => {
    const error = new ConnectionError("TRANSPORT_FAILED", "", { sent: "part", offset: 0 });
    error.annotate({ sent: "all", offset: 5, phase: "body", responseSeen: false });
    expect(error).toMatchObject({ sent: "part", offset: 0, phase: "body", responseSeen: false });
  });

  test("a retry is safe only if nothing was sent", () => {
    const safe = (sent?: "nothing" | "part" | "all") =>
      new ConnectionError("CANCELED", "", sent === undefined ? {} : { sent }).retrySafe;
    expect([safe("nothing"), safe("part"), safe("all"), safe()]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("a cause is kept, and none is made up", () => {
    const cause = new Error("ECONNRESET");
    expect(new ConnectionError("TRANSPORT_FAILED", "", { cause }).cause).toBe(cause);
    expect("cause" in new ConnectionError("TRANSPORT_FAILED")).toBe(false);
  });
});
