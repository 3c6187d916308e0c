import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";

describe("a body that is not JSON", () => {
  const broken = '{"password": "secret';

  test("is a 400 if the service rethrows", async () => {
    const { peer, reports } = await serve(async (request) => {
      await request.body.json();
      return { status: 204 };
    });
    await peer.send(`${head("POST /", `Content-Length: ${broken.length}`)}${broken}`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 400 /);
    expect(reports).toHaveLength(1);
  });

  test("is a 400, too, if it comes in pieces", async () => {
    const { peer } = await serve(async (request) => {
      await request.body.json();
      return { status: 204 };
    });
    await peer.send(head("POST /", `Content-Length: ${broken.length}`));
    for (const octet of broken) await peer.send(octet);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("is a 500 if it belongs to another message", async () => {
    const upstream = await dial();
    const { peer } = await serve(async () => {
      const response = await upstream.sender.sendRequest(GET);
      return { status: 200, body: String(await response.body.json()) };
    });
    await peer.send(head("GET /"));
    await upstream.peer.readHead();
    await upstream.peer.send(`${answer("200 OK", `Content-Length: ${broken.length}`)}${broken}`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
  });
});

const CHUNKED = "Transfer-Encoding: chunked";

describe("L12: a request's body that exceeds what its service reads", () => {
  const reading = (maxBytes: number) =>
    serve(async (request) => ({ status: 200, body: await request.body.text({ maxBytes }) }));

  test.each(["bytes", "text", "json"] as const)(
    "by %s() is a 413, which is reported to onError",
    async (by) => {
      const { peer, reports } = await serve(async (request) => {
        await request.body[by]({ maxBytes: 3 });
        return { status: 204 };
      });
      await peer.send(`${head("POST /", "Content-Length: 4")}four`);
      expect(await peer.readHead()).toBe(answer("413 Content Too Large", "Content-Length: 0"));
      expect(reports).toEqual(["service: BODY_TOO_LARGE"]);
    },
  );

  test("leaves the connection in use if the rest was drained", async () => {
    const { peer } = await reading(3);
    await peer.send(`${head("POST /", "Content-Length: 4")}four`);
    expect(await peer.readHead()).toBe(answer("413 Content Too Large", "Content-Length: 0"));
    await peer.send(`${head("POST /", "Content-Length: 3")}two`);
    expect(await peer.readUntil("two")).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("ends it if there is too much to drain", async () => {
    const { peer } = await serve(
      async (request) => ({ status: 200, body: await request.body.text({ maxBytes: 3 }) }),
      { maxDrainBytes: 5 },
    );
    await peer.send(`${head("POST /", CHUNKED)}4\r\nfour\r\n`);
    await peer.send("6\r\n123456\r\n");
    expect(await peer.readToEnd()).toBe(
      answer("413 Content Too Large", "Content-Length: 0", "Connection: close"),
    );
  });

  test("may be answered differently by the service", async () => {
    const { peer, reports } = await serve(async (request) => {
      const text = await request.body.text({ maxBytes: 3 }).catch(({ code }) => code as string);
      return { status: 422, body: text };
    });
    await peer.send(`${head("POST /", "Content-Length: 4")}four`);
    expect(await peer.readUntil("BODY_TOO_LARGE")).toMatch(/^HTTP\/1\.1 422 /);
    expect(reports).toEqual([]);
  });

  test("is a 500 if the service wraps the error, and a 502 if it comes from another message", async () => {
    const upstream = await dial();
    const { peer } = await serve(async (request) => {
      if (request.target === "/wrapped") {
        const wrap = (cause: unknown) => Promise.reject(new Error("mine", { cause }));
        return request.body.text({ maxBytes: 3 }).then(() => ({ status: 204 }), wrap);
      }
      const response = await upstream.sender.sendRequest(GET);
      return { status: 200, body: await response.body.text({ maxBytes: 3 }) };
    });
    await peer.send(`${head("POST /wrapped", "Content-Length: 4")}four`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    await peer.send(head("GET /"));
    await upstream.peer.readHead();
    await upstream.peer.send(`${answer("200 OK", "Content-Length: 4")}four`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 502 /);
  });

  test("after the response head is reported to onError only", async () => {
    let late: Promise<unknown> | undefined;
    const { peer, reports } = await serve((request) => {
      late = rejection(request.body.text({ maxBytes: 3 }));
      return { status: 200, body: "first" };
    });
    await peer.send(`${head("POST /", "Content-Length: 4")}four`);
    expect(await peer.readUntil("first")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await late).toBe("BODY_TOO_LARGE");
    expect(reports).toEqual([]);
  });
});
