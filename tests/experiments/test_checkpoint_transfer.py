"""What a checkpoint is called and what its classes are."""

from skelact.experiments.checkpoint_transfer import trained_on
from skelact.models.checkpoint import load_model


def test_the_model_that_ships_is_of_a_data_set_that_label_maps_know():
    assert trained_on(load_model()) == "penn_action"
