import { inspect } from "node:util";
import { Headers } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import type { WebSocketOptions } from "./options.ts";
import { websocket } from "./websocket.ts";

/** What a client and a server of ours agree on. */
function both(client: WebSocketOptions, server: WebSocketOptions, version: "1.1" | "2" = "1.1") {
  const offer = websocket(client).offer(version);
  const proposed = version === "2" ? {} : { Connection: "Upgrade", Upgrade: "websocket" };
  const headers = Headers.from([...Headers.from(proposed), ...Headers.from(offer.headers)]);
  const method = version === "2" ? "CONNECT" : "GET";
  const decision = websocket(server).accept({ method, target: "/", version, headers });
  if ("refusal" in decision) throw new Error(decision.reason);
  const status = version === "2" ? 200 : 101;
  const accepting = { status, version, headers: Headers.from(decision.headers) };
  return { client: offer.verify(accepting), server: decision.agreement };
}

describe.each(["1.1", "2"] as const)("both ends over HTTP/%s", (version) => {
  test.each<[WebSocketOptions, WebSocketOptions, string, boolean]>([
    [{}, {}, "", false],
    [{ subprotocols: ["v2", "v1"] }, { subprotocols: ["v1"] }, "v1", false],
    [{ subprotocols: ["v2"] }, { subprotocols: ["v1"] }, "", false],
    [{ perMessageDeflate: true }, {}, "", false],
    [{}, { perMessageDeflate: true }, "", false],
    [{ perMessageDeflate: true }, { perMessageDeflate: { clientMaxWindowBits: 9 } }, "", true],
    [{ perMessageDeflate: { clientMaxWindowBits: 9 } }, { perMessageDeflate: true }, "", true],
  ])("%j and %j agree on %j; compressed: %j", (client, server, protocol, compressed) => {
    const agreed = both(client, server, version);
    expect({ ...agreed.client, role: "server" }).toEqual({ ...agreed.server });
    expect(agreed.client.role).toBe("client");
    expect([agreed.server.protocol, agreed.server.deflate !== undefined]).toEqual([
      protocol,
      compressed,
    ]);
  });
});

describe("an agreement", () => {
  const options = { subprotocols: ["v1"], perMessageDeflate: { serverMaxWindowBits: 10 } };
  const { server: agreement } = both(options, { ...options, perMessageDeflate: true });

  test("is frozen, to its last part", () => {
    const parts = [agreement, agreement.extensions, agreement.extensions[0], agreement.deflate];
    expect(parts.map(Object.isFrozen)).toEqual([true, true, true, true]);
    expect(Object.isFrozen(agreement.extensions[0]!.params)).toBe(true);
  });

  test("is shown by a console with its extensions as they were sent", () => {
    const shown = inspect(agreement, { breakLength: Number.POSITIVE_INFINITY });
    expect(shown).toBe(
      "WebSocketAgreement { role: 'server', version: 13, protocol: 'v1', " +
        "extensions: [ 'permessage-deflate; server_max_window_bits=10' ], " +
        "deflate: { serverNoContextTakeover: false, clientNoContextTakeover: false, " +
        "serverMaxWindowBits: 10, clientMaxWindowBits: 15 } }",
    );
  });
});

describe("bad options are refused at once:", () => {
  test.each<[unknown, string]>([
    [null, "options are null"],
    [{ subprotocol: "v1" }, "did you mean subprotocols?"],
    [{ subprotocols: "v1" }, "subprotocols is a string, not a list of tokens, or a function"],
    [{ subprotocols: ["v1", "v 2"] }, 'subprotocols[1] is "v 2", not a token'],
    [{ subprotocols: [""] }, 'subprotocols[0] is "", not a token'],
    [{ subprotocols: [7] }, "subprotocols[0] is 7, not a token"],
    [{ subprotocols: ["v1", "v1"] }, 'subprotocols has "v1" twice'],
    [{ requireSubprotocol: 1 }, "requireSubprotocol is 1, not a boolean"],
    [{ requireSubprotocol: true }, "needs subprotocols"],
    [{ requireSubprotocol: true, subprotocols: [] }, "needs subprotocols"],
    [{ perMessageDeflate: "yes" }, "perMessageDeflate is a string, not a boolean or an object"],
    [{ perMessageDeflate: null }, "perMessageDeflate is null"],
    [{ perMessageDeflate: { threshold: 1 } }, "threshold: known are"],
    [{ perMessageDeflate: { serverMaxWindowBits: 7 } }, "serverMaxWindowBits is 7, not a whole"],
    [{ perMessageDeflate: { serverMaxWindowBits: 16 } }, "serverMaxWindowBits is 16"],
    [{ perMessageDeflate: { serverMaxWindowBits: false } }, "serverMaxWindowBits is false"],
    [{ perMessageDeflate: { clientMaxWindowBits: 8.5 } }, "clientMaxWindowBits is 8.5"],
    [{ perMessageDeflate: { clientMaxWindowBits: true } }, "clientMaxWindowBits is true"],
    [{ perMessageDeflate: { serverNoContextTakeover: 1 } }, "serverNoContextTakeover is 1"],
    [{ perMessageDeflate: { clientNoContextTakeover: "" } }, "clientNoContextTakeover is a string"],
    [{ origins: "https://a.test" }, "origins is a string, not a list of origins, or a function"],
    [{ origins: ["https://a.test/"] }, 'origins[0] is "https://a.test/"; an origin is'],
    [{ origins: ["a.test"] }, 'origins[0] is "a.test"'],
    [{ origins: ["*"] }, 'origins[0] is "*"'],
    [{ origins: [/a/] }, "origins[0] is an object"],
  ])("%j: %s", (options, words) => {
    expect(() => websocket(options as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining(words) }),
    );
  });

  test("and changing a list later changes nothing", () => {
    const subprotocols = ["v1"];
    const protocol = websocket({ subprotocols });
    subprotocols.push("v 2");
    expect(Headers.from(protocol.offer("1.1").headers).get("sec-websocket-protocol")).toBe("v1");
  });
});
