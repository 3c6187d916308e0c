// bytes → parser → events → connection → driver → application: [who is who, at every station]

/** Which end of the conversation. */
export type Role = "client" | "server";

/** The other end. */
export function peerOf(role: Role): Role {
  return role === "client" ? "server" : "client";
}
