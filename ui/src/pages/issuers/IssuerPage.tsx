export function IssuerPage() {
  return null; // STUB
}
