// Which end of the connection is which.

import { LocalProtocolError } from "./errors.ts";

/** Which end of the connection. */
export type Role = "client" | "server";

/** The other end. */
export function peerOf(role: Role): Role {
  return role === "client" ? "server" : "client";
}

/** @throws {LocalProtocolError} `INVALID_OPTION` for anything but a role. */
export function checkRole(role: Role): Role {
  if (role === "client" || role === "server") return role;
  throw new LocalProtocolError("INVALID_OPTION", 'the role is "client" or "server"');
}
