import { readdirSync, readFileSync } from "node:fs";
import { inspect } from "node:util";
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
    detail?: string,
    details?: object,
  ) => UpgradeError;
}

function make(code: ErrorCode, detail?: string, details = {}): UpgradeError {
  return new (classOf(code))(code, detail, details);
}

test("no code is in two tables", () => {
  const sizes = classes.map(([table]) => Object.keys(table).length);
  expect(codes.length).toBe(sizes.reduce((sum, size) => sum + size));
});

test("every code is thrown somewhere in the sources", () => {
  const packages = new URL("../../../", import.meta.url);
  const sources = ["core", "client", "server", "websocket", "node"]
    .flatMap((name) =>
      readdirSync(new URL(`${name}/src/`, packages), { recursive: true, encoding: "utf8" })
        .filter((file) => /(?<!\.test)\.ts$/.test(file) && !file.endsWith("codes.ts"))
        .map((file) => readFileSync(new URL(`${name}/src/${file}`, packages), "utf8")),
    )
    .join("\n");
  expect(codes.filter((code) => !sources.includes(`"${code}"`))).toEqual([]);
});

test.each(codes)("L16: %s has its code, its class and the status a server answers with", (code) => {
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

describe("instanceof", () => {
  test("each error is an Error, an UpgradeError, and of its own class only", () => {
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

  test("is false for anything else", () => {
    for (const other of [new Error("x"), {}, null, undefined, "BAD_HOST", 1]) {
      expect((other as object) instanceof UpgradeError).toBe(false);
    }
  });
});

describe("an invalid code", () => {
  const makes = (Fault: unknown, ...args: unknown[]): unknown => {
    try {
      return new (Fault as new (...args: unknown[]) => unknown)(...args);
    } catch (error) {
      return error;
    }
  };

  test.each([
    ["a code in no table", RemoteProtocolError, "NOPE"],
    ["a name that every object has", LocalProtocolError, "toString"],
    ["a code of another class", LocalProtocolError, "BAD_HOST"],
    ["no code", ConnectionError, undefined],
    ["a symbol", ConnectionError, Symbol("x")],
  ])("%s is refused, and named", (_, Fault, code) => {
    const error = makes(Fault, code);
    expect(error).toBeInstanceOf(LocalProtocolError);
    expect(error).toMatchObject({ code: "INVALID_OPTION" });
    expect(String(error)).toContain(`${String(code)} is not a code of ${Fault.name}`);
  });

  test("the base class is refused, whatever its arguments", () => {
    for (const args of [["BAD_HOST"], [{ X: { says: "x" } }, "X", "", {}]]) {
      expect(makes(UpgradeError, ...args)).toMatchObject({ code: "INVALID_OPTION" });
    }
  });
});

describe("in a console, and in JSON", () => {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  const failed = new ConnectionError("TRANSPORT_FAILED", "x", { sent: "part", cause });

  test("an error has no property for an unknown detail", () => {
    const plain = new ConnectionError("TRANSPORT_FAILED");
    expect(Object.keys(plain)).toEqual(["code"]);
    expect(Object.keys(failed)).toEqual(["code", "sent"]);
    expect(inspect(plain)).not.toContain("undefined");
    expect(inspect(new RemoteProtocolError("BAD_HOST", "", { offset: 7 }))).toMatch(
      /^RemoteProtocolError: .*\{\s+code: 'BAD_HOST',\s+status: 400,\s+offset: 7\s+\}$/s,
    );
  });

  test("JSON has its name, its message, its details and a summary of its cause", () => {
    expect(JSON.parse(JSON.stringify(failed))).toEqual({
      name: "ConnectionError",
      code: "TRANSPORT_FAILED",
      message: "the transport failed: x",
      sent: "part",
      cause: { name: "Error", message: "read ECONNRESET", code: "ECONNRESET" },
    });
    const about = (why: unknown) =>
      JSON.parse(JSON.stringify(new ConnectionError("ABORTED", "", { cause: why }))).cause;
    expect(about("shutting down")).toBe("shutting down");
    const circular: { self?: unknown } = {};
    circular.self = circular;
    expect(about(circular)).toBeUndefined();
  });
});

describe("details", () => {
  test("a detail that is set is kept", () => {
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

  test("a cause is kept, and absent if not given", () => {
    const cause = new Error("ECONNRESET");
    expect(new ConnectionError("TRANSPORT_FAILED", "", { cause }).cause).toBe(cause);
    expect("cause" in new ConnectionError("TRANSPORT_FAILED")).toBe(false);
  });
});

test("in JSON, a cause has its name and message, and its code if that is a string", () => {
  const withCode = (code: unknown) =>
    new ConnectionError("TRANSPORT_FAILED", "", {
      cause: Object.assign(new Error("reset"), { code }),
    });
  const cause = { name: "Error", message: "reset" };
  expect(JSON.parse(JSON.stringify(withCode("ECONNRESET")))).toMatchObject({
    cause: { ...cause, code: "ECONNRESET" },
  });
  expect(JSON.parse(JSON.stringify(withCode(104))).cause).toEqual(cause);
});
