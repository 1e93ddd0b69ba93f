"""Where every data set comes from, and the command that makes a store of it."""

from dataclasses import dataclass
from pathlib import Path

from skelact.checks import check_choice, check_readable
from skelact.errors import FileFormatError

_SKELETONS = "skelact data prepare {name} --raw {folder} -o {name}.store"
_VIDEOS = ("skelact data prepare {name} --videos {folder}/videos --annotations "
           "{folder}/annotations -o {name}.store")


@dataclass(frozen=True)
class Source:
    """A published data set.

    Args:
        what: What it is, in a few words.
        page: Where its authors describe it and say how to get it.
        files: What to download, and how to lay it out.
        command: What comes next, with ``{name}`` and ``{folder}``.
    """

    what: str
    page: str
    files: str
    command: str = _SKELETONS


_KINETICS = "the clips under videos/, train.csv, validate.csv and test.csv under annotations/"
_KINETICS_PAGE = "https://github.com/cvdfoundation/kinetics-dataset"
_AVA = "ava_train_v2.2.csv, ava_val_v2.2.csv, the label map (.pbtxt) and the excluded timestamps"
_NTU = "nturgbd_skeletons_s001_to_s017.zip"
_NTU_PAGE = "https://rose1.ntu.edu.sg/dataset/actionRecognition (after registration)"

CATALOG = {
    "ntu60": Source("NTU RGB+D, 3-D, 60 actions", _NTU_PAGE, f"{_NTU}, unpacked"),
    "ntu120": Source("NTU RGB+D 120, 3-D, 120 actions", _NTU_PAGE,
                     f"{_NTU} and nturgbd_skeletons_s018_to_s032.zip, unpacked"),
    "pku_mmd": Source("PKU-MMD, 3-D, untrimmed, 51 actions",
                      "https://www.icst.pku.edu.cn/struct/Projects/PKUMMD.html",
                      "the skeletons and the labels, unpacked side by side"),
    "nw_ucla": Source("NW-UCLA, 3-D, 10 actions, 3 views",
                      "https://wangjiangb.github.io/my_data.html",
                      "the skeletons as all_sqe/a01_s01_e00_v01.json, ... (the form in which "
                      "CTR-GCN publishes them)"),
    "utd_mhad": Source("UTD-MHAD, 3-D, 27 actions",
                       "https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
                       "Skeleton.zip, unpacked"),
    "msr_action3d": Source("MSR-Action3D, 3-D, 20 actions",
                           "https://sites.google.com/view/wanqingli/data-sets/msr-action3d",
                           "the real-world skeletons a01_s01_e01_skeleton3D.txt, ... and "
                           "files_used.mat"),
    "penn_action": Source("Penn Action, 2-D, 15 actions",
                          "https://dreamdragon.github.io/PennAction",
                          "Penn_Action.tar.gz, of which only the folder labels is needed"),
    "precog16": Source("PRECOG16, 3-D, untrimmed, punches and kicks",
                       "the repository of the PRECOG Dataset 2016", "its folder of .csv files"),
    "kinetics_skeleton": Source("Kinetics-skeleton, 2-D, 400 actions",
                                "https://github.com/yysijie/st-gcn",
                                "kinetics_train, kinetics_val and their label files, unpacked"),
    "ucf101": Source("UCF101, videos, 101 actions", "https://www.crcv.ucf.edu/data/UCF101.php",
                     "the videos under videos/, ucfTrainTestlist under annotations/", _VIDEOS),
    "hmdb51": Source(
        "HMDB51, videos, 51 actions",
        "https://serre-lab.clps.brown.edu/resource/hmdb-a-large-human-motion-database",
        "the videos under videos/, test_train_splits under annotations/", _VIDEOS),
    "kinetics400": Source("Kinetics-400, videos", _KINETICS_PAGE, _KINETICS, _VIDEOS),
    "kinetics600": Source("Kinetics-600, videos", _KINETICS_PAGE, _KINETICS, _VIDEOS),
    "kinetics700": Source("Kinetics-700, videos", _KINETICS_PAGE, _KINETICS, _VIDEOS),
    "something_something_v2": Source(
        "Something-Something v2, videos, 174 actions",
        "https://www.qualcomm.com/developer/software/something-something-v-2-dataset",
        "the .webm files under videos/, the .json files under annotations/", _VIDEOS),
    "epic_kitchens100": Source(
        "EPIC-Kitchens-100, untrimmed videos, 97 verbs", "https://epic-kitchens.github.io",
        "the videos under videos/, the files of epic-kitchens-100-annotations under "
        "annotations/", _VIDEOS),
    "activitynet": Source("ActivityNet, untrimmed videos, 200 activities",
                          "http://activity-net.org",
                          "the videos under videos/, activity_net.v1-3.min.json under "
                          "annotations/", _VIDEOS),
    "ava": Source("AVA 2.2, videos, 80 actions of boxed people",
                  "https://research.google.com/ava", f"the videos under videos/, {_AVA} under "
                  "annotations/", _VIDEOS),
    "ava_kinetics": Source("AVA-Kinetics, videos, 80 actions of boxed people",
                           "https://research.google.com/ava",
                           f"the videos of AVA and of Kinetics-700 under videos/, {_AVA}, "
                           "kinetics_train_v1.0.csv and kinetics_val_v1.0.csv under annotations/",
                           _VIDEOS),
}
"""Official name -> source; skelact downloads none of them: their terms are for you to accept."""


def how_to_get(name: str, folder: str = "DIR") -> str:
    """What to do about a data set that is not there: where it is, what to fetch, what to run.

    Args:
        name: Its official name.
        folder: Where the files are, or shall be.

    Raises:
        ChoiceError: There is no such data set.
    """
    check_choice(name, CATALOG, "a data set")
    source = CATALOG[name]
    command = source.command.format(name=name, folder=folder)
    return (f"{name} is {source.what}. Get it from {source.page}: {source.files}, in {folder}. "
            f"Then: {command}")


def hint(name: str, folder: str | Path) -> str:
    """How an error ends that misses data: with a way to get it, unless it is the user's own."""
    return f". {how_to_get(name, str(folder))}" if name in CATALOG else ""


def check_holds_something(name: str, folder: str | Path) -> None:
    """Refuse a folder that cannot hold a data set, and say how to get a published one.

    Raises:
        FileFormatError: There is no such folder, nothing in it, or no permission to read it.
    """
    folder = Path(folder)
    check_readable(folder)
    if not folder.is_dir() or not any(folder.iterdir()):
        state = "is empty" if folder.is_dir() else "is no folder"
        raise FileFormatError(f"expected a folder with the files of {name}; {folder} {state}"
                              f"{hint(name, folder)}")
