export function Issuers() {
  return null; // STUB
}
