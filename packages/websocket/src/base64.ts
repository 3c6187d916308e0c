// bytes → [base64] → text: the same on every runtime

// What every runtime has.
declare function btoa(octets: string): string;

/** The bytes in base64, with padding (RFC 4648 §4). */
export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
