//! Has the crate built again when the dashboard was. A debug build reads its files where they are.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../ui/dist");
}
