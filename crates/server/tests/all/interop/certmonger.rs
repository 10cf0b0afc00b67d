//! certmonger as a client of SCEP: its daemon on a socket of its own, asked by `getcert`.

use super::process::{run, succeed, tool, tools};
use super::scep::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn p14_certmonger_enrolls_over_scep_and_keeps_watch() {
    let scene = Scene::start().await;
    let (password, folder) = (scene.password().await, scene.folder.path());
    let root = tools().join("certmonger");
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    // The daemon hands none of its environment down, and knows its helpers by where the package has them.
    let steps = format!(
        "set -eu\nexport LD_LIBRARY_PATH={libraries}\ncd {folder}\n\
         {root}/usr/bin/getcert add-ca -c ours -e '/usr/bin/env LD_LIBRARY_PATH={libraries} \
         {root}/usr/lib/certmonger/scep-submit -u {url}'\n\
         {root}/usr/bin/getcert request -c ours -I phone -f {folder}/phone.crt -k {folder}/phone.key \
         -N CN=phone.example.org -D phone.example.org -L {password} -w -v\n\
         {root}/usr/bin/getcert list -i phone\n",
        libraries = libraries.display(),
        folder = folder.display(),
        root = root.display(),
        url = scene.url(),
    );
    std::fs::write(scene.file("steps.sh"), steps).unwrap();
    let mut daemon = tool(
        root.join("usr/lib/certmonger/certmonger-session")
            .to_str()
            .unwrap(),
    );
    daemon
        .args(["-L", "-n", "-d", "1", "-P"])
        .arg(scene.file("socket"));
    let command = format!("bash {}", scene.file("steps.sh").display());
    daemon.args(["-c", &command]).env("HOME", folder);
    daemon
        .env("LD_LIBRARY_PATH", &libraries)
        .current_dir(folder);
    let ended = run(&mut daemon).await;
    assert!(ended.said.contains("status: MONITORING"), "{}", ended.said);
    let mut verify = tool("openssl");
    verify.args([
        "x509",
        "-in",
        "phone.crt",
        "-noout",
        "-ext",
        "subjectAltName",
    ]);
    let shown = succeed(verify.current_dir(folder)).await;
    assert!(shown.contains("DNS:phone.example.org"), "{shown}");
}
