import { fetchService } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { head } from "../../src/messages.ts";
import { turns } from "../../src/turns.ts";

/** What a handler sees of one request. */
async function seen(bytes: string, options: Parameters<typeof fetchService>[1] = {}) {
  const requests: Request[] = [];
  const service = fetchService((request) => {
    requests.push(request);
    return new Response(null, { status: 204 });
  }, options);
  const { peer, reports } = await serve(service);
  await peer.send(bytes);
  const answered = await peer.readHead();
  expect(reports).toEqual([]);
  return { request: requests[0], answered };
}

const get = (target: string, ...lines: string[]) => head(`GET ${target}`, ...lines);
const SECURE = { scheme: "https" } as const;
const FIXED = { origin: "https://example.com:8443" } as const;

describe("the URL of a request:", () => {
  test.each([
    ["path and query, of the Host", get("/a/b?c=d"), {}, "http://a.test/a/b?c=d"],
    ["with the scheme given", get("/"), SECURE, "https://a.test/"],
    ["with the origin given", get("/x?y"), FIXED, "https://example.com:8443/x?y"],
    ["a path that looks like a host", get("//evil.test/x"), {}, "http://a.test//evil.test/x"],
    ["a query that holds a URL", get("/?u=http://b.test/"), {}, "http://a.test/?u=http://b.test/"],
    ["a path that holds a URL", get("/http://b.test/"), {}, "http://a.test/http://b.test/"],
    [
      "the port of the Host",
      "GET / HTTP/1.1\r\nHost: a.test:8080\r\n\r\n",
      {},
      "http://a.test:8080/",
    ],
    ["an IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", {}, "http://[::1]/"],
    ["an empty Host", "GET /x HTTP/1.1\r\nHost:\r\n\r\n", {}, "http://localhost/x"],
    ["HTTP/1.0 without a Host", "GET /x HTTP/1.0\r\n\r\n", {}, "http://localhost/x"],
    ["a whole URL, whatever the Host", get("http://b.test/x?y"), {}, "http://b.test/x?y"],
    ["a whole URL keeps its scheme", get("http://b.test/x"), SECURE, "http://b.test/x"],
    ["a whole URL without a path", get("http://b.test?y"), {}, "http://b.test/?y"],
    [
      "a whole URL, with the origin given",
      get("http://b.test/x?y"),
      FIXED,
      "https://example.com:8443/x?y",
    ],
    ["the asterisk has no path", head("OPTIONS *"), {}, "http://a.test/"],
    ["the asterisk, with the origin given", head("OPTIONS *"), FIXED, "https://example.com:8443/"],
    ["OPTIONS of a path", head("OPTIONS /x"), {}, "http://a.test/x"],
  ])("%s", async (_, bytes, options, url) => {
    const { request, answered } = await seen(bytes, options);
    expect(request!.url).toBe(url);
    expect(answered).toMatch(/^HTTP\/1\.1 204 /);
  });

  test.each([
    ["a port that is none", "GET / HTTP/1.1\r\nHost: a.test:99999\r\n\r\n"],
    ["an IPv4 address that is none", "GET / HTTP/1.1\r\nHost: 1.2.3.400\r\n\r\n"],
    ["a whole URL with such an address", get("http://1.2.3.400/")],
  ])("%s is a 400, and the handler is not called", async (_, bytes) => {
    const { request, answered } = await seen(bytes);
    expect(request).toBe(undefined);
    expect(answered).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("the method:", () => {
  test.each(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PURGE"])(
    "%s is the request's",
    async (method) => {
      const { request } = await seen(head(`${method} /`, "Content-Length: 0"));
      expect(request!.method).toBe(method);
    },
  );

  test.each([
    ["CONNECT", head("CONNECT a.test:443")],
    ["TRACE", head("TRACE /")],
  ])("%s is answered with 501, since no Request can have it", async (_, bytes) => {
    const { request, answered } = await seen(bytes);
    expect(request).toBe(undefined);
    expect(answered).toMatch(/^HTTP\/1\.1 501 /);
  });
});

test("header lines keep their octets; lines of one name are joined, cookies with a semicolon", async () => {
  const lines = [
    "X-A: one",
    "X-A: two",
    "X-Latin: caf\xe9",
    "Cookie: a=1",
    "Cookie: b=2, c",
    "X-Empty:",
  ];
  const { request } = await seen(get("/", ...lines));
  const { headers } = request!;
  expect(["host", "x-a", "x-latin", "cookie", "x-empty"].map((name) => headers.get(name))).toEqual([
    "a.test",
    "one, two",
    "caf\xe9",
    "a=1; b=2, c",
    "",
  ]);
});

describe("the body:", () => {
  test.each([
    ["GET without one", get("/")],
    ["GET with one, which no Request can have", `${get("/", "Content-Length: 4")}body`],
    ["HEAD with one", `${head("HEAD /", "Content-Length: 4")}body`],
    ["POST without one", head("POST /")],
    ["POST with an empty one", head("POST /", "Content-Length: 0")],
  ])("%s has none", async (_, bytes) => {
    const { request, answered } = await seen(bytes);
    expect(request!.body).toBe(null);
    expect(answered).toMatch(/^HTTP\/1\.1 204 /);
  });

  test.each([
    ["a length", `${head("POST /", "Content-Length: 9")}some text`],
    [
      "chunks",
      `${head("POST /", "Transfer-Encoding: chunked")}5\r\nsome \r\n4\r\ntext\r\n0\r\n\r\n`,
    ],
  ])("with %s is read, however it is split", async (_, bytes) => {
    const service = fetchService(async (request) => {
      const { body } = request;
      expect(body!.locked).toBe(false);
      return new Response(`[${await request.text()}]`);
    });
    for (let at = 0; at <= bytes.length; at++) {
      const { peer, reports } = await serve(service);
      await peer.send(bytes.slice(0, at));
      await turns(1);
      await peer.send(bytes.slice(at));
      expect(await peer.readUntil("]")).toContain("[some text]");
      expect(reports).toEqual([]);
    }
  });

  test("is asked for with a 100 when the handler reads it, and not before", async () => {
    let read!: () => void;
    const mayRead = new Promise<void>((resolve) => {
      read = resolve;
    });
    const service = fetchService(async (request) => {
      await mayRead;
      return new Response(await request.text());
    });
    const { peer } = await serve(service);
    await peer.send(head("POST /", "Content-Length: 4", "Expect: 100-continue"));
    await turns();
    expect(peer.unread).toBe("");
    read();
    expect(await peer.readHead()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    await peer.send("body");
    expect(await peer.readUntil("body")).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("arrives as it is sent, and the response as it is made", async () => {
    const service = fetchService((request) => new Response(request.body));
    const { peer } = await serve(service);
    await peer.send(head("POST /", "Transfer-Encoding: chunked"));
    await peer.send("3\r\none\r\n");
    expect(await peer.readUntil("one\r\n")).toContain("Transfer-Encoding: chunked");
    await peer.send("3\r\ntwo\r\n");
    await peer.readUntil("two\r\n");
    await peer.send("0\r\n\r\n");
    await peer.readUntil("0\r\n\r\n");
  });
});

/** How a handler leaves a body of which some is still to come. */
const LEFT: Record<string, (request: Request) => unknown> = {
  "unread": () => {},
  "read in part, with the lock kept": (request) => request.body!.getReader().read(),
  "read in part, with the lock released": async (request) => {
    const reader = request.body!.getReader();
    await reader.read();
    reader.releaseLock();
  },
  "canceled": (request) => request.body!.cancel(),
  "canceled after some of it": async (request) => {
    for await (const _ of request.body!) break;
  },
};

/** What it answers with. */
const ANSWERS: Record<string, () => Response> = {
  "a body": () => new Response("too long", { status: 413 }),
  "none": () => new Response(null, { status: 413 }),
  "an error": () => {
    throw new Error("broken");
  },
  "no Response": () => undefined as never,
};

describe.each(Object.entries(LEFT))(
  "a body %s is drained, and the next request served",
  (_, leave) => {
    test.each(Object.entries(ANSWERS))("after %s", async (_, respond) => {
      let count = 0;
      const service = fetchService(async (request) => {
        if (++count === 2) return new Response("next");
        await leave(request);
        return respond();
      });
      const { peer, connection } = await serve(service);
      await peer.send(`${head("POST /", "Content-Length: 10")}some `);
      expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 (413|500) /);
      await turns();
      await peer.send(`more.${get("/")}`);
      await peer.readUntil("next");
      expect(connection.stats.requests).toBe(2);
    });
  },
);

test.each([
  ["begun before", true],
  ["begun after", false],
])("a read of the body, %s the response was sent, is no end but an error", async (_, isBegun) => {
  let body!: ReadableStream<Uint8Array>;
  let read: Promise<unknown> | undefined;
  const service = fetchService(async (request) => {
    body = request.body!;
    if (isBegun) {
      const reader = body.getReader();
      await reader.read();
      read = reader.read();
      read.catch(() => {});
    }
    return new Response("done");
  });
  const { peer } = await serve(service);
  await peer.send(`${head("POST /", "Content-Length: 10")}some `);
  await peer.readUntil("done");
  await turns();
  read ??= body.getReader().read();
  await expect(read).rejects.toMatchObject({ code: "WRONG_MOMENT" });
});

test("a body that breaks off fails its reader with our error", async () => {
  let failure: unknown;
  const service = fetchService(async (request) => {
    await request.text().catch((error: unknown) => {
      failure = error;
    });
    return new Response("late");
  });
  const { peer } = await serve(service);
  await peer.send(`${head("POST /", "Transfer-Encoding: chunked")}x`);
  expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 400 /);
  await turns();
  expect(failure).toMatchObject({ code: "MALFORMED_CHUNK" });
});

describe("the signal", () => {
  const waiting = async () => {
    let request!: Request;
    const service = fetchService((given) => {
      request = given;
      return new Promise<Response>(() => {});
    });
    const served = await serve(service);
    await served.peer.send(get("/"));
    await turns();
    return { ...served, request };
  };

  test("aborts when the client resets", async () => {
    const { peer, request } = await waiting();
    expect(request.signal.aborted).toBe(false);
    peer.reset();
    await turns();
    expect(request.signal.aborted).toBe(true);
    expect(request.signal.reason).toMatchObject({ code: "TRANSPORT_FAILED" });
  });

  test("aborts when the client ends", async () => {
    const { peer, request } = await waiting();
    await peer.end();
    await turns();
    expect(request.signal.reason).toMatchObject({ code: "PEER_ENDED" });
  });

  test("does not abort after the response", async () => {
    let request!: Request;
    const service = fetchService((given) => {
      request = given;
      return new Response("done");
    });
    const { peer } = await serve(service);
    await peer.send(get("/"));
    await peer.readUntil("done");
    await turns();
    peer.reset();
    await turns();
    expect(request.signal.aborted).toBe(false);
  });
});
