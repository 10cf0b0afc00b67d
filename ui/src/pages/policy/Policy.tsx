export function Policy() {
  return null; // STUB
}
