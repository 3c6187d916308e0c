import { connect, handshake as connectTo } from "@upgrade/client";
import { memoryPair, rewind } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { expect, test } from "vitest";
import { ScriptedPeer } from "../../src/scripted-peer.ts";

test("a client answers a proxy's challenge on the same connection", async () => {
  const [near, far] = memoryPair();
  const heads: string[] = [];
  await serveOn(far, async (request) => {
    // The connection must survive the refused CONNECT, so the challenge is written by hand.
    const proxy = new ScriptedPeer(rewind(await request.takeOver()));
    await proxy.send(
      "HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM c2Vjb25k\r\nContent-Length: 4\r\n\r\nwait",
    );
    heads.push(await proxy.readHead());
    await proxy.send("HTTP/1.1 200 OK\r\n\r\nearly");
  });

  const result = await connect(near, "a.test:443", {
    headers: { "Proxy-Authorization": "NTLM Zmlyc3Q=" },
  });
  if (result.switched) throw new Error("the proxy sent no challenge");
  expect(result.response.headers.get("proxy-authenticate")).toBe("NTLM c2Vjb25k");
  expect(await result.response.body.text()).toBe("wait");
  const parts = result.connection.withoutShutdown();
  await result.sender.sendRequest({
    method: "CONNECT",
    target: "a.test:443",
    headers: { Host: "a.test:443", "Proxy-Authorization": "NTLM dGhpcmQ=" },
  });
  const { readBuf, switched } = await parts;
  expect([switched?.kind, Buffer.from(readBuf).toString()]).toEqual(["connect", "early"]);
  expect(heads).toEqual([expect.stringContaining("\r\nProxy-Authorization: NTLM dGhpcmQ=\r\n")]);
});

test("a service ties authentication to the connection, and does not confuse connections", async () => {
  const rounds = new WeakMap<object, number>();
  const open = async () => {
    const [near, far] = memoryPair();
    await serveOn(far, ({ connection }) => {
      const round = (rounds.get(connection) ?? 0) + 1;
      rounds.set(connection, round);
      return round > 2
        ? { status: 200, body: "welcome" }
        : { status: 401, headers: { "WWW-Authenticate": `NTLM ${round}` } };
    });
    return (await connectTo(near)).sender;
  };
  const ask = { method: "GET", target: "/", headers: { Host: "a.test" } };
  const statuses: number[] = [];
  const [one, other] = [await open(), await open()];
  for (const sender of [one, one, one, other]) {
    const response = await sender.sendRequest(ask);
    statuses.push(response.status);
    await response.body.bytes();
  }
  expect(statuses).toEqual([401, 401, 200, 401]);
});
