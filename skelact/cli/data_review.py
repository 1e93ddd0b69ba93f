"""``skelact data review`` and ``skelact data apply``: look at every clip, correct what is wrong."""


def review(arguments: list[str]) -> int:
    """Run the action; see ``skelact data review --help``."""
    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "data review",
        "Write a page that shows the clips of a store class by class, with what `skelact data "
        "validate` found, to relabel, drop, trim and note. It runs in any browser, without "
        "network, and saves the corrections as a file for `skelact data apply`.")
    add = parser.add_argument
    add("store", metavar="STORE", help="the folder that `prepare` wrote")
    add("-o", "--output", required=True, metavar="PAGE", help="the .html to write")
    add("--split", metavar="SPLIT", help="only its clips, such as xsub/test")
    add("--classes", nargs="+", default=[], metavar="CLASS", help="only these")
    add("--clips", type=int, metavar="N", help="the most of a class (default: as many as a page "
        "of 15 MB holds)")
    add("--overwrite", action="store_true", help="replace an existing page")
    options = parser.parse_args(arguments)

    from skelact.cli.store_views import review_store

    page, findings = review_store(options.store, options.output, options.split, options.classes,
                                  options.clips, options.overwrite)
    some = f"{page.clips:,} of {page.total:,}" if page.clips < page.total else f"{page.total:,}"
    print(f"{some} {page.unit}{'s' * (page.total != 1)}, {len(findings)} "
          f"finding{'s' * (len(findings) != 1)} -> {page.path} ({page.size / 1e6:.1f} MB)")
    print(f"next: open it in a browser; skelact data apply {options.store} CORRECTIONS -o NEW")
    return 0


def apply(arguments: list[str]) -> int:
    """Run the action; see ``skelact data apply --help``."""
    from skelact.cli.parser import CommandParser

    parser = CommandParser(
        "data apply",
        "Write a store anew with the corrections that the page of `skelact data review` saved. "
        "The store itself stays as it is. Corrections of another store, or of clips, classes or "
        "frames that it does not have, are refused.")
    add = parser.add_argument
    add("store", metavar="STORE", help="the store that was reviewed")
    add("corrections", metavar="CORRECTIONS", help="the .json that the page saved")
    add("-o", "--output", required=True, metavar="NEW", help="the store to write")
    add("--overwrite", action="store_true", help="replace a store that is there")
    options = parser.parse_args(arguments)

    from skelact.datasets.corrections import apply_corrections

    print(apply_corrections(options.store, options.corrections, options.output, options.overwrite,
                            progress=True))
    return 0
