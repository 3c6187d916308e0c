import { execFile } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { upgrade } from "@upgrade/client";
import { type WebSocketOptions, websocket } from "@upgrade/websocket";
import { afterEach, describe, expect, test } from "vitest";
import { closeAll, open } from "../../src/pairs/loopback.ts";
import { converse, dialed, echoing, echoingWs, switched } from "../../src/websocket/ends.ts";
import { NEWEST, VERSIONS } from "../../src/websocket/versions.ts";

afterEach(closeAll);

const DEFLATE = "permessage-deflate";

describe.each([VERSIONS[0]!, NEWEST])("the client of ws $version", ({ WebSocket }) => {
  /** Its options for compression, ours, and the parameters that the server sends. */
  test.each<[object | boolean, WebSocketOptions["perMessageDeflate"], string]>([
    [true, true, DEFLATE],
    [true, false, ""],
    [false, true, ""],
    [{ serverNoContextTakeover: true }, true, `${DEFLATE}; server_no_context_takeover`],
    [{ clientNoContextTakeover: true }, true, `${DEFLATE}; client_no_context_takeover`],
    [true, { serverNoContextTakeover: true }, `${DEFLATE}; server_no_context_takeover`],
    [true, { clientNoContextTakeover: true }, `${DEFLATE}; client_no_context_takeover`],
    [{ serverMaxWindowBits: 10 }, true, `${DEFLATE}; server_max_window_bits=10`],
    [
      { serverMaxWindowBits: 9 },
      { serverMaxWindowBits: 10 },
      `${DEFLATE}; server_max_window_bits=9`,
    ],
    [{ clientMaxWindowBits: 10 }, true, `${DEFLATE}; client_max_window_bits=10`],
    [true, { clientMaxWindowBits: 9 }, `${DEFLATE}; client_max_window_bits=9`],
    [{ clientMaxWindowBits: false }, { clientMaxWindowBits: 9 }, ""],
  ])("that compresses with %j accepts our server's %j: %j", async (theirs, ours, sent) => {
    const { url } = await echoing(NEWEST, { perMessageDeflate: ours });
    const socket = new WebSocket(url, { perMessageDeflate: theirs });
    const upgraded = once(socket, "upgrade");
    await once(socket, "open");
    const [response] = (await upgraded) as [IncomingMessage];
    expect(response.headers["sec-websocket-extensions"] ?? "").toBe(sent);
    await converse(socket);
  });

  test.each<[string, object, WebSocketOptions, number]>([
    ["another version", { protocolVersion: 8 }, {}, 426],
    ["another origin", { origin: "https://b.test" }, { origins: ["https://a.test"] }, 403],
    ["no subprotocol", {}, { subprotocols: ["v1"], requireSubprotocol: true }, 400],
  ])("is refused for %s with a response that it can read", async (_, theirs, ours, status) => {
    const { url } = await echoing(NEWEST, ours);
    const socket = new WebSocket(url, theirs);
    const [request, response] = (await once(socket, "unexpected-response")) as [
      { destroy(): void },
      IncomingMessage,
    ];
    expect(response.statusCode).toBe(status);
    if (status === 426) {
      expect(response.headers).toMatchObject({
        "connection": expect.stringMatching(/upgrade/i),
        "upgrade": "websocket",
        "sec-websocket-version": "13",
      });
    }
    request.destroy();
  });
});

describe.each([VERSIONS[0]!, NEWEST])("the server of ws $version", (ws) => {
  test.each<[WebSocketOptions["perMessageDeflate"], object | boolean, object | undefined]>([
    [true, true, {}],
    [true, false, undefined],
    [false, true, undefined],
    [{ serverNoContextTakeover: true }, true, { serverNoContextTakeover: true }],
    [{ clientNoContextTakeover: true }, true, { clientNoContextTakeover: true }],
    [true, { serverNoContextTakeover: true }, { serverNoContextTakeover: true }],
    [true, { clientNoContextTakeover: true }, { clientNoContextTakeover: true }],
    [{ serverMaxWindowBits: 10 }, true, { serverMaxWindowBits: 10 }],
    [true, { serverMaxWindowBits: 10 }, { serverMaxWindowBits: 10 }],
    [{ clientMaxWindowBits: 10 }, true, { clientMaxWindowBits: 10 }],
    [true, { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 9 }],
    [{ clientMaxWindowBits: false }, true, { clientMaxWindowBits: 15 }],
  ])("agrees with our client that offers %j, by its %j, on %j", async (ours, theirs, agreed) => {
    const port = await echoingWs(ws, { perMessageDeflate: theirs });
    const { socket, agreement } = await dialed(NEWEST, port, { perMessageDeflate: ours });
    if (agreed === undefined) expect(agreement.deflate).toBeUndefined();
    else expect(agreement.deflate).toMatchObject(agreed);
    await converse(socket);
  });

  test("chooses one of our subprotocols", async () => {
    const handleProtocols = (): string => "v1";
    const port = await echoingWs(ws, { handleProtocols });
    const { agreement } = await switched(port, websocket({ subprotocols: ["v2", "v1"] }));
    expect(agreement.protocol).toBe("v1");
  });

  test("that chooses one we did not offer fails the switch, and the io is aborted", async () => {
    const port = await echoingWs(ws, { handleProtocols: () => "v9" });
    const io = open(port);
    const headers = { Host: "a.test" };
    const protocol = websocket({ subprotocols: ["v1"] });
    await expect(upgrade(io, { target: "/", headers, protocol })).rejects.toMatchObject({
      code: "AGREEMENT_FAILED",
      cause: { name: "WebSocketHandshakeError", reason: "unknown-subprotocol" },
    });
    expect(io.destroyed).toBe(true);
  });
});

const run = promisify(execFile);

// Node's own WebSocket is undici's. It is global since Node 22, and needs a flag before.
const NODE_CLIENT = `
  const text = "the same again, ".repeat(1_000);
  const socket = new WebSocket(process.argv[1], ["v2", "v1"]);
  let received = 0;
  socket.onopen = () => socket.send(text);
  socket.onmessage = ({ data }) => {
    if (data === text && ++received < 3) socket.send(text);
    else socket.close(4000, "enough");
  };
  socket.onclose = ({ code, reason, wasClean }) => {
    const { protocol, extensions } = socket;
    console.log(JSON.stringify({ protocol, extensions, received, code, reason, wasClean }));
  };
`;

test.each([true, false])(
  "undici's client talks with our server; compressed: %s",
  async (deflate) => {
    const { url, agreements } = await echoing(NEWEST, {
      subprotocols: ["v1"],
      perMessageDeflate: deflate,
    });
    const flags = ["--no-warnings", "--experimental-websocket", "--input-type=module"];
    const { stdout } = await run(process.execPath, [...flags, "--eval", NODE_CLIENT, url]);
    expect(JSON.parse(stdout)).toEqual({
      protocol: "v1",
      extensions: deflate ? expect.stringContaining(DEFLATE) : "",
      received: 3,
      code: 4000,
      reason: "enough",
      wasClean: true,
    });
    expect(agreements[0]!.deflate !== undefined).toBe(deflate);
  },
);
