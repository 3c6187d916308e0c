// bytes → [base64] → text: the same on every runtime

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The bytes in base64, with padding (RFC 4648 §4). */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = Math.min(bytes.length - at, 3);
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let digit = 0; digit < 4; digit++) {
      text += digit <= left ? ALPHABET[(group >> (18 - 6 * digit)) & 63]! : "=";
    }
  }
  return text;
}
