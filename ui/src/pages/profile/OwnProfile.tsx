export function OwnProfile() {
  return null; // STUB
}
