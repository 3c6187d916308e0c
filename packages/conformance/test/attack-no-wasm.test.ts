import { handshake as connectTo, upgrade } from "@upgrade/client";
import { HttpConnection, LocalProtocolError } from "@upgrade/core";
import type { Io } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { GET } from "../src/against.ts";
import { destroyPairs, duplexPair, webPair } from "../src/pairs.ts";

// Nothing in this file has made a connection yet, so that nothing is compiled.
afterEach(() => {
  vi.unstubAllGlobals();
  destroyPairs();
});

const refusal = new Error("Wasm code generation disallowed by embedder");
class Refused {
  constructor() {
    throw refusal;
  }
}

const compiler = (globalThis as unknown as { WebAssembly: object }).WebAssembly;

/** Platforms on which no head can be read. */
const PLATFORMS: Record<string, unknown> = {
  "there is no WebAssembly": undefined,
  "a policy forbids to compile it": Object.create(compiler, { Module: { value: Refused } }),
  "a policy forbids to instantiate it": Object.create(compiler, { Instance: { value: Refused } }),
};

describe.each(Object.entries(PLATFORMS))("L16: where %s,", (_, platform) => {
  test.each([
    ["our client", (io: Io) => connectTo(io)],
    ["our server", (io: Io) => serve(io, () => ({ status: 204 }))],
  ])("%s says so at once, and the io is untouched", async (_, shake) => {
    vi.stubGlobal("WebAssembly", platform);
    const [io] = duplexPair();
    const before = [io.eventNames(), io.allowHalfOpen, io.readableFlowing];
    await expect(shake(io)).rejects.toMatchObject({
      name: "LocalProtocolError",
      code: "NO_WEBASSEMBLY",
      message: expect.stringContaining("'wasm-unsafe-eval'"),
    });
    expect([io.eventNames(), io.allowHalfOpen, io.readableFlowing]).toEqual(before);
    const [pair] = webPair();
    await expect(shake(pair)).rejects.toMatchObject({ code: "NO_WEBASSEMBLY" });
    expect([pair.readable.locked, pair.writable.locked]).toEqual([false, false]);
  });

  test("upgrade() says so, and aborts the io", async () => {
    vi.stubGlobal("WebAssembly", platform);
    const [io] = duplexPair();
    const request = { target: "/", protocol: "chat", headers: { Host: "a.test" } };
    await expect(upgrade(io, request)).rejects.toMatchObject({ code: "NO_WEBASSEMBLY" });
    expect(io.destroyed).toBe(true);
  });

  test("the heart says so, with what the platform said", () => {
    vi.stubGlobal("WebAssembly", platform);
    try {
      new HttpConnection("server");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(LocalProtocolError);
      expect(error).toMatchObject({ code: "NO_WEBASSEMBLY" });
      const { cause } = error as LocalProtocolError;
      if (platform === undefined) expect(cause).toBeInstanceOf(TypeError);
      else expect(cause).toBe(refusal);
    }
  });
});

test("what could not be compiled is compiled once the platform allows it", async () => {
  vi.stubGlobal("WebAssembly", undefined);
  expect(() => new HttpConnection("client")).toThrow();
  vi.unstubAllGlobals();
  const [near, far] = duplexPair();
  await serve(far, () => ({ status: 204 }));
  const { sender } = await connectTo(near);
  expect((await sender.sendRequest(GET)).status).toBe(204);
});
