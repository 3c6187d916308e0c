// A proxy for CONNECT with users, a list of destinations, and a log of every tunnel.
import { lookup } from "node:dns/promises";
import { open, serve } from "@upgrade/node";
import { connectProxy, isPublicAddress } from "@upgrade/proxy";

/** Where each user may go. Addresses of this network are only for those that are listed here. */
const ALLOWED: Record<string, readonly string[]> = {
  ann: ["api.example.com:443", "127.0.0.1:8081"],
};
const PASSWORDS: Record<string, string> = { ann: "secret" };

const proxy = connectProxy({
  authenticate: (credentials = "") => {
    const [, encoded = ""] = /^Basic (.+)$/i.exec(credentials) ?? [];
    const [user = "", password] = Buffer.from(encoded, "base64").toString().split(":");
    const known = Object.hasOwn(PASSWORDS, user) ? PASSWORDS[user] : undefined;
    return known !== undefined && known === password ? user : undefined;
  },
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  allow: ({ host, port, addresses = [] }, user = "") => {
    const isListed = ALLOWED[user]?.includes(`${host}:${port}`) === true;
    // A name must not lead into this network, whatever its owner says.
    return isListed && (addresses.includes(host) || addresses.every(isPublicAddress));
  },
  dial: (place, { signal }) => open(place, { signal, proxy: false }),
  onTunnel: ({ user, where, up, down, endedBy, error }) => {
    const at = new Date().toISOString();
    console.log(JSON.stringify({ at, user, where, up, down, endedBy, error: error?.code }));
  },
});

await serve(proxy, { port: 3128, host: "127.0.0.1" });
