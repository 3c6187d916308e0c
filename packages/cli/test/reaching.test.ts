import { readFileSync } from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { tunnel } from "@upgrade/client";
import { serve } from "@upgrade/node";
import { describe, expect, test } from "vitest";
import type { ConnectingOptions } from "../src/command/plan-of.ts";
import type { Plan } from "../src/probe/plan.ts";
import type { VerdictId } from "../src/verdicts/verdicts.ts";
import {
  closeAfterEach,
  closeLater,
  listening,
  ManualClock,
  moving,
  probed,
  scripted,
  serving,
} from "./stage.ts";

closeAfterEach();

const fileOf = (name: string) => fileURLToPath(new URL(`../keys/${name}.pem`, import.meta.url));
const pem = (name: string) => readFileSync(fileOf(name), "utf8");
const withCertificate = (name: string) => ({ cert: pem(`${name}.cert`), key: pem("key") });
const ca = fileOf("ca.cert");

async function verdictOn(
  url: string,
  options: ConnectingOptions = {},
  changes: Partial<Plan> = {},
): Promise<readonly [VerdictId, string]> {
  const { verdict } = await probed(url, options, changes);
  return [verdict.id, verdict.says];
}

/** What the resolver of the system says. */
const failingWith = (code: string): Partial<Plan> => ({
  lookup: async () => {
    throw Object.assign(new Error(`getaddrinfo ${code}`), { code });
  },
});

/** A port without a listener. */
async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("the network", () => {
  test("a name that does not exist", async () => {
    const [id, says] = await verdictOn("ws://no.such.test/", {}, failingWith("ENOTFOUND"));
    expect(id).toBe("name-unknown");
    expect(says).toBe("The name no.such.test does not exist: DNS has no address for it");
  });

  test("a resolver that does not answer", async () => {
    const [id] = await verdictOn("ws://a.test/", {}, failingWith("EAI_AGAIN"));
    expect(id).toBe("name-not-resolved");
  });

  test("a port on which nothing listens", async () => {
    const port = await closedPort();
    const [id, says] = await verdictOn(`ws://127.0.0.1:${port}/`);
    expect(id).toBe("port-refused");
    expect(says).toContain(`127.0.0.1:${port}`);
  });

  test("every address of a name is tried", async () => {
    const port = await serving();
    const lookup = async () => [
      { address: "::1", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ];
    const [id] = await verdictOn(`ws://a.test:${port}/`, {}, { lookup });
    expect(id).toBe("switched");
  });

  test("a path without a socket", async () => {
    const [id] = await verdictOn("unix:/no/such/socket");
    expect(id).toBe("no-socket");
  });
});

describe("TLS", () => {
  test("a certificate that fits is no verdict", async () => {
    const port = await serving({ tls: withCertificate("localhost") });
    const { verdict, facts } = await probed(`wss://localhost:${port}/`, { ca });
    expect(verdict.id).toBe("switched");
    expect(facts.tls).toMatchObject({ alpn: "http/1.1", servername: "localhost" });
    expect(facts.tls?.chain[0]).toMatchObject({
      subject: "localhost",
      issuer: "Authority of the tests",
      names: ["localhost", "127.0.0.1"],
      to: "2125-01-01",
    });
  });

  test.each([
    ["other", "tls-wrong-name", "is for other.test, not for localhost"],
    ["expired", "tls-expired", "expired on 2021-01-01"],
    ["future", "tls-not-yet-valid", "is not valid before 2100-01-01"],
  ])("a certificate that is %s", async (name, expected, words) => {
    const port = await serving({ tls: withCertificate(name) });
    const [id, says] = await verdictOn(`wss://localhost:${port}/`, { ca });
    expect(id).toBe(expected);
    expect(says).toContain(words);
  });

  test("an authority that is not trusted, and --insecure", async () => {
    const port = await serving({ tls: withCertificate("localhost") });
    const url = `wss://localhost:${port}/`;
    const [id, says] = await verdictOn(url);
    expect(id).toBe("tls-untrusted");
    expect(says).toContain("Authority of the tests");
    expect((await verdictOn(url, { insecure: true }))[0]).toBe("switched");
  });

  test("nothing is sent to a host that is not trusted", async () => {
    let received = 0;
    const server = tls.createServer(withCertificate("other"), (socket) => {
      socket
        .on("error", () => {})
        .on("data", (bytes) => {
          received += bytes.length;
        });
    });
    const port = await listening(server);
    await verdictOn(`wss://localhost:${port}/`, { ca, header: ["Authorization: Bearer x"] });
    expect(received).toBe(0);
  });

  test("TLS on a plain port", async () => {
    const port = await serving();
    const [id] = await verdictOn(`wss://127.0.0.1:${port}/`);
    expect(id).toBe("plain-port");
  });

  test("no TLS on a port for TLS, whatever the server does then", async () => {
    const port = await serving({ tls: withCertificate("localhost") });
    const { verdict } = await probed(`ws://localhost:${port}/chat`);
    expect(verdict.id).toBe("tls-port");
    expect(verdict.change).toBe(`use wss://localhost:${port}/chat`);
    const alerting = await scripted((socket) =>
      socket.on("data", () => socket.end(Buffer.from("15030100020228", "hex"))),
    );
    expect((await verdictOn(`ws://127.0.0.1:${alerting}/`))[0]).toBe("tls-port");
    const telling = await scripted((socket) =>
      socket.on("data", () =>
        socket.end(
          "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<p>The plain HTTP request was sent to HTTPS port</p>",
        ),
      ),
    );
    expect((await verdictOn(`ws://127.0.0.1:${telling}/`))[0]).toBe("tls-port");
  });

  test("only HTTP/2 in ALPN", async () => {
    const options = { ...withCertificate("localhost"), allowHTTP1: false };
    const port = await listening(http2.createSecureServer(options));
    const { verdict, facts } = await probed(`wss://localhost:${port}/`, { ca });
    expect(verdict.id).toBe("h2-only");
    expect(facts.control.speaksH2).toBe(true);
  });

  test("no version in common", async () => {
    const options = { ...withCertificate("localhost"), maxVersion: "TLSv1.1", minVersion: "TLSv1" };
    const port = await serving({ tls: { ...options, ciphers: "DEFAULT:@SECLEVEL=0" } as object });
    expect((await verdictOn(`wss://localhost:${port}/`, { ca }))[0]).toBe("tls-version");
  });

  test.each([
    ["TLSv1.2", "tls-refused"],
    ["TLSv1.3", "tls-client-certificate"],
  ])("a certificate of ours is missing, in %s", async (version, expected) => {
    const requested = { requestCert: true, rejectUnauthorized: true, ca: pem("ca.cert") };
    const options = { ...withCertificate("localhost"), ...requested, maxVersion: version };
    const port = await serving({ tls: options as object });
    const url = `wss://localhost:${port}/`;
    expect((await verdictOn(url, { ca }))[0]).toBe(expected);
    const ours = { cert: fileOf("localhost.cert"), key: fileOf("key") };
    expect((await verdictOn(url, { ca, ...ours }))[0]).toBe("switched");
  });

  test("a server that closes, and one that stays silent", async () => {
    const closing = await scripted((socket) => socket.on("data", () => socket.destroy()));
    expect((await verdictOn(`wss://127.0.0.1:${closing}/`))[0]).toBe("tls-closed");
    const clock = new ManualClock();
    const silent = await scripted((socket) => {
      socket.on("data", () => {});
    });
    const found = moving(clock, verdictOn(`wss://127.0.0.1:${silent}/`, {}, { clock }));
    expect((await found)[0]).toBe("tls-timeout");
  });
});

/** A proxy that wants `user:right`, and leads every name to loopback. */
async function proxying(wantsCredentials: boolean, secured = {}): Promise<number> {
  const server = await serve(
    async ({ headers, target }) => {
      const authorization = headers.get("proxy-authorization");
      const right = `Basic ${Buffer.from("user:right").toString("base64")}`;
      if (wantsCredentials && authorization !== right) {
        return { status: 407, headers: { "Proxy-Authenticate": 'Basic realm="a"' } };
      }
      return { status: 403, body: target };
    },
    { host: "127.0.0.1", ...secured },
  );
  closeLater(() => server.close({ timeoutMs: 1, upgraded: "abort" }));
  return (server.address as net.AddressInfo).port;
}

describe("a proxy", () => {
  test("wants credentials, or others", async () => {
    const port = await proxying(true);
    const proxy = `127.0.0.1:${port}`;
    const [id, says] = await verdictOn("ws://a.test/", { proxy: `http://${proxy}` });
    expect(id).toBe("proxy-wants-credentials");
    expect(says).toBe(`The proxy ${proxy} wants credentials (407, Basic)`);
    const wrong = { proxy: `http://user:wrong@${proxy}` };
    expect((await verdictOn("ws://a.test/", wrong))[0]).toBe("proxy-wrong-credentials");
    const right = { proxy: `http://user:right@${proxy}` };
    expect((await verdictOn("ws://a.test/", right))[0]).toBe("proxy-forbids");
  });

  test.each([
    [200, "switched"],
    [404, "proxy-is-none"],
    [405, "proxy-is-none"],
    [418, "proxy-refused"],
    [503, "proxy-cannot-reach"],
  ])("answers %i", async (status, expected) => {
    const target = await serving();
    const server = await serve(
      async (request) => {
        if (status !== 200) return { status };
        await tunnel(request.switchTo(), net.connect(target, "127.0.0.1"));
        return undefined;
      },
      { host: "127.0.0.1" },
    );
    closeLater(() => server.close({ timeoutMs: 1, upgraded: "abort" }));
    const proxy = `http://127.0.0.1:${(server.address as net.AddressInfo).port}`;
    expect((await verdictOn("ws://a.test/", { proxy }))[0]).toBe(expected);
  });

  test("cannot be reached, is unknown, or is silent", async () => {
    const proxy = `http://127.0.0.1:${await closedPort()}`;
    expect((await verdictOn("ws://a.test/", { proxy }))[0]).toBe("proxy-unreachable");
    const unknown = verdictOn(
      "ws://a.test/",
      { proxy: "http://no.such.test:1" },
      failingWith("ENOTFOUND"),
    );
    expect((await unknown)[0]).toBe("proxy-unreachable");
    const closing = await scripted((socket) => socket.on("data", () => socket.destroy()));
    const silent = verdictOn("ws://a.test/", { proxy: `http://127.0.0.1:${closing}` });
    expect((await silent)[0]).toBe("proxy-silent");
  });

  test("speaks TLS with a certificate that is not trusted", async () => {
    const port = await proxying(false, { tls: withCertificate("localhost") });
    const proxy = `https://localhost:${port}`;
    expect((await verdictOn("ws://a.test/", { proxy }))[0]).toBe("proxy-tls");
    expect((await verdictOn("ws://a.test/", { proxy, ca }))[0]).toBe("proxy-forbids");
  });
});
