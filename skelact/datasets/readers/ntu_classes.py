"""Names of the actions of NTU RGB+D and PKU-MMD, in the order of their numbers from 1."""

NTU120_CLASSES = (
    "drink_water", "eat_meal", "brush_teeth", "brush_hair", "drop", "pick_up", "throw", "sit_down",
    "stand_up", "clap", "read", "write", "tear_up_paper", "put_on_jacket", "take_off_jacket",
    "put_on_shoe", "take_off_shoe", "put_on_glasses", "take_off_glasses", "put_on_hat",
    "take_off_hat", "cheer_up", "wave_hand", "kick_something", "reach_into_pocket",
    "hop_on_one_foot", "jump_up", "make_phone_call", "play_with_phone", "type_on_keyboard",
    "point_to_something", "take_selfie", "check_time", "rub_hands", "nod_head", "shake_head",
    "wipe_face", "salute", "put_palms_together", "cross_hands_in_front", "sneeze_or_cough",
    "stagger", "fall", "touch_head", "touch_chest", "touch_back", "touch_neck", "vomit",
    "fan_oneself", "punch_other_person", "kick_other_person", "push_other_person",
    "pat_back_of_other_person", "point_finger_at_other_person", "hug_other_person",
    "give_something_to_other_person", "touch_pocket_of_other_person", "shake_hands",
    "walk_towards_each_other", "walk_apart_from_each_other",  # 60: NTU RGB+D ends here
    "put_on_headphone", "take_off_headphone", "shoot_at_basket", "bounce_ball",
    "swing_tennis_bat", "juggle_table_tennis_balls", "hush", "flick_hair", "thumb_up",
    "thumb_down", "make_ok_sign", "make_victory_sign", "staple_book", "count_money", "cut_nails",
    "cut_paper", "snap_fingers", "open_bottle", "sniff", "squat_down", "toss_coin", "fold_paper",
    "ball_up_paper", "play_magic_cube", "apply_cream_on_face", "apply_cream_on_hand", "put_on_bag",
    "take_off_bag", "put_something_into_bag", "take_something_out_of_bag", "open_box",
    "move_heavy_objects", "shake_fist", "throw_up_hat", "hands_up", "cross_arms", "circle_arms",
    "swing_arms", "run_on_the_spot", "kick_backward", "cross_toe_touch", "side_kick", "yawn",
    "stretch_oneself", "blow_nose", "hit_other_person_with_something",
    "wield_knife_towards_other_person", "knock_over_other_person", "grab_stuff_of_other_person",
    "shoot_at_other_person", "step_on_foot", "high_five", "cheers_and_drink",
    "carry_something_with_other_person", "take_photo_of_other_person", "follow_other_person",
    "whisper_in_ear_of_other_person", "exchange_things_with_other_person", "support_somebody",
    "play_rock_paper_scissors",
)

PKU_MMD_CLASSES = (
    "bow", "brush_hair", "brush_teeth", "check_time", "cheer_up", "clap", "cross_hands_in_front",
    "drink_water", "drop", "eat_meal", "fall", "give_something_to_other_person", "wave_hand",
    "shake_hands", "hop_on_one_foot", "hug_other_person", "jump_up", "kick_other_person",
    "kick_something", "make_phone_call", "pat_back_of_other_person", "pick_up", "play_with_phone",
    "point_finger_at_other_person", "point_to_something", "punch_other_person",
    "push_other_person", "put_on_hat", "put_something_into_pocket", "read", "rub_hands", "salute",
    "sit_down", "stand_up", "take_off_hat", "take_off_glasses", "take_off_jacket",
    "take_something_out_of_pocket", "take_selfie", "tear_up_paper", "throw", "touch_back",
    "touch_chest", "touch_head", "touch_neck", "type_on_keyboard", "fan_oneself", "put_on_jacket",
    "put_on_glasses", "wipe_face", "write",
)
"""Where PKU-MMD and NTU RGB+D mean the same action, they share its name."""
