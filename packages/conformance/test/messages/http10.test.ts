import type { ByteStream } from "@upgrade/core/io";
import type { Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer } from "../../src/messages.ts";
import { turns } from "../../src/turns.ts";

describe("to an HTTP/1.0 client", () => {
  const received = async (service: Service<ByteStream>, ...fields: string[]) => {
    const { peer } = await serve(service);
    await peer.send(["GET / HTTP/1.0", ...fields, "", ""].join("\r\n"));
    await turns();
    return [peer.unread, peer.ended];
  };

  test("the connection ends after the response", async () => {
    expect(await received(() => ({ status: 200, body: "x" }))).toEqual([
      `${answer("200 OK", "Content-Length: 1", "Connection: close")}x`,
      true,
    ]);
  });

  test("it is kept alive if requested and the length is known", async () => {
    expect(await received(() => ({ status: 200, body: "x" }), "Connection: keep-alive")).toEqual([
      `${answer("200 OK", "Content-Length: 1", "Connection: keep-alive")}x`,
      false,
    ]);
  });

  test("an unknown length is close-delimited, even if keep-alive was requested", async () => {
    const service = () => ({ status: 200, body: ["a", "b"] });
    expect(await received(service, "Connection: keep-alive")).toEqual([
      `${answer("200 OK", "Connection: close")}ab`,
      true,
    ]);
  });

  test("trailers are not sent", async () => {
    const service = () => ({ status: 200, body: ["a"], trailers: { "X-Sum": "1" } });
    expect(await received(service)).toEqual([`${answer("200 OK", "Connection: close")}a`, true]);
  });

  test("a close-delimited body that throws is a reset, since an end would look like success", async () => {
    async function* body() {
      yield "half";
      await turns();
      throw new Error("boom");
    }
    const { peer } = await serve(() => ({ status: 200, body: body() }));
    await peer.send("GET / HTTP/1.0\r\n\r\n");
    await peer.readUntil("half");
    await peer.failed();
    expect(peer.ended).toBe(false);
  });
});
