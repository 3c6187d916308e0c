// TLS → [certificates] → facts: the chain that the server sent

import type tls from "node:tls";
import type { Certificate } from "../facts.ts";

export function certificatesOf(socket: tls.TLSSocket): Certificate[] {
  const chain: Certificate[] = [];
  let one: tls.DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (one?.subject !== undefined) {
    chain.push({
      subject: nameOf(one.subject),
      issuer: nameOf(one.issuer),
      names: (one.subjectaltname ?? "")
        .split(", ")
        .filter((name) => name !== "")
        .map((name) => name.replace(/^(?:DNS|IP Address):/, "")),
      from: dayOf(one.valid_from),
      to: dayOf(one.valid_to),
    });
    // A root is its own issuer.
    one = one.issuerCertificate === one ? undefined : one.issuerCertificate;
    if (chain.length > 10) break;
  }
  return chain;
}

function nameOf(name: tls.Certificate): string {
  return String(name?.CN ?? name?.O ?? "(no name)");
}

function dayOf(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
