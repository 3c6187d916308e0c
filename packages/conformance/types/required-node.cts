// The types of the CommonJS build of @upgrade/node. Compiled against the published declarations.
import node = require("@upgrade/node");
import tls = require("node:tls");

async function opened(): Promise<tls.TLSSocket> {
  const socket = await node.open("https://a.test");
  const secure: Same<typeof socket, tls.TLSSocket> = true;
  void secure;
  return socket;
}

export = { opened };
