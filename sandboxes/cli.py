"""`proofgym sandbox`: what this machine can wall in, and the container image for where it cannot.

`check` exits with 0 when untrusted code can run here in the isolation that was asked for, 1 when it cannot, and 2 for a
mistaken request. The main command line mounts `app`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from proofgym.errors import ProofgymError
from proofgym.sandboxes import languages, probe
from proofgym.sandboxes.errors import JobRefused
from proofgym.sandboxes.types import Isolation

__all__ = ["app", "render"]

app = typer.Typer(
    name="sandbox", help="Where untrusted code runs: what is contained here, and how well.", no_args_is_help=True
)

_WORDS = {
    Isolation.NAMESPACED_CGROUP: "a root, processes and network of its own; the kernel counts memory and processes",
    Isolation.NAMESPACED: "a root, processes and network of its own; memory is watched",
    Isolation.REDUCED: "no files but its own, no network, no signals to outside; the host's names can be seen",
}


def render(found: probe.Probe) -> str:
    """The probe in words: each tier, whether it works, and if not why and what to do."""
    lines = ["Isolation on this machine, tried just now, best first:", ""]
    for tier in found.tiers:
        mark = "works " if tier.works else "does not work"
        lines.append(
            f"  {tier.isolation.label:<18} {mark}  {_WORDS[tier.isolation]}"
            if tier.works
            else f"  {tier.isolation.label:<18} {mark}"
        )
        if not tier.works:
            lines.append(f"      why:  {tier.reason}")
            if tier.cure:
                lines.append(f"      cure: {tier.cure}")
        lines += [f"      gap:  {gap}" for gap in tier.gaps]
    best = found.best
    lines.append("")
    if best is Isolation.NONE:
        lines.append("Nothing here contains untrusted code. Use the Docker backend, or see the cures above.")
    else:
        lines.append(
            f"Pools take {best.label!r} by default."
            if best >= Isolation.NAMESPACED
            else f"Pools take {best.label!r} only with min_isolation={best.label!r}."
        )
    here = [name for name, there in languages.available().items() if there]
    absent = [name for name, there in languages.available().items() if not there]
    lines.append(
        f"Compiled languages here: {', '.join(here) or 'none'}"
        + (f"; not here: {', '.join(absent)}." if absent else ".")
    )
    return "\n".join(lines)


@app.command()
def check(
    least: Annotated[str, typer.Option("--min", help="the isolation that must be there")] = "namespaced",
) -> None:
    """Say which layers of isolation work on this machine, and what to do about those that do not."""
    try:
        wanted = Isolation.parse(least)
    except JobRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    found = probe.probe()
    typer.echo(render(found))
    if wanted is Isolation.CONTAINER or found.best < wanted:
        docker = _docker()
        typer.echo(f"Docker backend: {docker or 'works'}")
        if docker or wanted > Isolation.CONTAINER:
            raise typer.Exit(1)


def _docker() -> str:
    """Why the Docker backend does not work here; empty when it does."""
    from proofgym.sandboxes.docker_backend import DockerBackend
    from proofgym.sandboxes.types import Limits

    try:
        backend = DockerBackend()
        try:
            backend.start(0, Limits()).close()
        finally:
            backend.close()
    except Exception as error:
        return f"does not work: {error}"
    return ""


@app.command("build-image")
def build_image(
    tag: Annotated[str, typer.Option(help="the image's name")] = "",
    packages: Annotated[list[str] | None, typer.Option("--with", help="a package jobs can import; repeatable")] = None,
) -> None:
    """Make the container image offline, from this machine's own interpreter."""
    from proofgym.sandboxes import image

    try:
        built = image.build_image(tag or image.IMAGE, packages=packages or image.PACKAGES)
    except ProofgymError as error:
        typer.echo(f"the image could not be made: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"made {built.tag}: {built.files} files, {built.mebibytes:.0f} MiB, in {built.seconds:.1f} s")
