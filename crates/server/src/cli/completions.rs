//! `certwright completions` and `certwright man`: what packages install beside the binary.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::exit::Failure;
use super::{Cli, output};

/// Arguments of `certwright completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  certwright completions bash > /etc/bash_completion.d/certwright")]
pub struct Completions {
    /// The shell to complete for.
    shell: Shell,
}

impl Completions {
    /// Prints the completion script.
    pub fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "certwright", &mut script);
        Ok(output::print_text(&String::from_utf8_lossy(&script))?)
    }
}

/// Arguments of `certwright man`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  certwright man /usr/local/share/man/man1")]
pub struct Man {
    /// The directory to write the pages to; made if missing.
    directory: PathBuf,
}

impl Man {
    /// Writes one page per command.
    pub fn run(self) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.directory)?;
        Ok(clap_mangen::generate_to(Cli::command(), &self.directory)?)
    }
}
