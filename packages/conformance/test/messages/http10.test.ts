import type { ByteStream } from "@upgrade/core/io";
import type { Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { answer, serve } from "../../src/against.ts";
import { turns } from "../../src/pairs-quiet.ts";

describe("to an HTTP/1.0 client", () => {
  const asked = async (service: Service<ByteStream>, ...fields: string[]) => {
    const { peer } = await serve(service);
    await peer.send(["GET / HTTP/1.0", ...fields, "", ""].join("\r\n"));
    await turns();
    return [peer.unread, peer.ended];
  };

  test("the connection ends after the response", async () => {
    expect(await asked(() => ({ status: 200, body: "x" }))).toEqual([
      `${answer("200 OK", "Content-Length: 1", "Connection: close")}x`,
      true,
    ]);
  });

  test("it is kept alive if requested and the length is known", async () => {
    expect(await asked(() => ({ status: 200, body: "x" }), "Connection: keep-alive")).toEqual([
      `${answer("200 OK", "Content-Length: 1", "Connection: keep-alive")}x`,
      false,
    ]);
  });

  test("an unknown length is close-delimited, even if keep-alive was requested", async () => {
    const service = () => ({ status: 200, body: ["a", "b"] });
    expect(await asked(service, "Connection: keep-alive")).toEqual([
      `${answer("200 OK", "Connection: close")}ab`,
      true,
    ]);
  });

  test("trailers are not sent", async () => {
    const service = () => ({ status: 200, body: ["a"], trailers: { "X-Sum": "1" } });
    expect(await asked(service)).toEqual([`${answer("200 OK", "Connection: close")}a`, true]);
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
