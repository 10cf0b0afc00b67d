export function Administration() {
  return null; // STUB
}
