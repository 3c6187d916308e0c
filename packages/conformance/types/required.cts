// The types of the CommonJS builds. Compiled against the published declarations.
import client = require("@upgrade/client");
import core = require("@upgrade/core");
import io = require("@upgrade/core/io");
import testing = require("@upgrade/core/testing");
import proxy = require("@upgrade/proxy");
import server = require("@upgrade/server");
import websocket = require("@upgrade/websocket");

async function onLane(lane: io.ByteStream): Promise<void> {
  const result = await client.upgrade(lane, { target: "/", protocol: websocket.websocket() });
  if (!result.switched) return;
  const agreed: Same<typeof result.agreement, websocket.WebSocketAgreement> = true;
  const out: Same<typeof result.parts, client.Parts<io.ByteStream>> = true;
  void [agreed, out];
}

const sameErrors: Same<typeof client.UpgradeError, typeof core.UpgradeError> = true;
const sameHeaders: Same<server.Headers, core.Headers> = true;
const pair: [io.ByteStream, io.ByteStream] = testing.memoryPair();
const relay: server.Service<io.ByteStream> = proxy.reverseProxy({ dial: () => pair[0] });

export = { onLane, sameErrors, sameHeaders, pair, relay };
