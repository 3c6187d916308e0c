// A gateway to a server that speaks SPDY/3.1 alone: it refuses a WebSocket with 426, so that a client
// such as kubectl falls back at once, and relays everything else.
import { open, serve } from "@upgrade/node";
import { reverseProxy } from "@upgrade/proxy";

const SPOKEN = "SPDY/3.1";

const gateway = reverseProxy({
  dial: (origin, { signal }) => open(origin, { signal, proxy: false }),
  protocols: [SPOKEN],
  origin: ({ proposal }) =>
    proposal !== undefined && !proposal.offers(SPOKEN)
      ? {
          status: 426,
          headers: { "Upgrade": SPOKEN, "Content-Type": "text/plain" },
          body: `This server speaks ${SPOKEN}, not ${proposal.protocols.join(", ")}.\n`,
        }
      : "http://127.0.0.1:8081",
});

await serve(gateway, { port: 8080, host: "127.0.0.1" });
