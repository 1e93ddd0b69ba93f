"""Annotation files of video data sets, in their published forms, and how tests write them."""

import json

UCF101 = {
    "classInd.txt": "1 ApplyEyeMakeup\r\n2 HandstandPushups\r\n101 YoYo\r\n\r\n",
    "trainlist01.txt": "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\r\n"
                       "HandstandPushups/v_HandStandPushups_g25_c07.avi 2\r\n",
    "testlist01.txt": "YoYo/v_YoYo_g01_c02.avi\r\n",
    "trainlist02.txt": "YoYo/v_YoYo_g01_c02.avi 101\r\n",
    "testlist02.txt": "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi\r\n",
}
HMDB51 = {
    "brush_hair_test_split1.txt": "a_(x)_brush_hair_u_nm_np1_ba_goo_0.avi 1 \nb_brush.avi 2 \n"
                                  "c_brush.avi 0 \n",
    "brush_hair_test_split2.txt": "a_(x)_brush_hair_u_nm_np1_ba_goo_0.avi 2 \nb_brush.avi 1 \n"
                                  "c_brush.avi 1 \n",
}
KINETICS = {
    "train.csv": "label,youtube_id,time_start,time_end,split\n"
                 "air drumming,--0edUL8zmA,0,10,train\n"
                 '"catching or throwing baseball",_9aBcDeFgH0,54,64,train\n',
    "validate.csv": "label,youtube_id,time_start,time_end,split\nzumba,zzzzzzzzzzz,3,13,validate\n",
    "test.csv": "label,youtube_id,time_start,time_end,split\n,yyyyyyyyyyy,3,13,test\n",
}
SOMETHING = {
    "something-something-v2-train.json": [
        {"id": "78687", "label": "holding potato next to vicks vaporub bottle",
         "template": "Holding [something] next to [something]",
         "placeholders": ["potato", "vicks vaporub bottle"]}],
    "something-something-v2-validation.json": [
        {"id": "74225", "label": "spinning cube that quickly stops spinning",
         "template": "Spinning [something] that quickly stops spinning",
         "placeholders": ["cube"]}],
    "something-something-v2-test.json": [{"id": "1420"}],
    "something-something-v2-labels.json": {
        "Holding something next to something": "42",
        "Spinning something that quickly stops spinning": "134"},
}
_EPIC = ("narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,"
         "start_frame,stop_frame,narration,verb,verb_class,noun,noun_class,all_nouns,"
         "all_noun_classes\n")
EPIC = {
    "EPIC_100_train.csv": _EPIC + (
        'P01_01_0,P01,P01_01,00:00:01.089,00:00:00.14,00:00:03.37,8,202,open door,open,3,door,3,'
        '"[\'door\', \'x\']",[3]\n'
        "P01_01_1,P01,P01_01,00:00:02.629,00:01:04.37,00:01:06.17,262,370,turn on light,turn-on,6,"
        "light,114,['light'],[114]\n"),
    "EPIC_100_validation.csv": _EPIC + (
        "P37_101_0,P37,P37_101,00:00:01.0,00:00:00.5,00:00:01.5,8,9,take plate,take,0,plate,2,"
        "['plate'],[2]\n"),
    "EPIC_100_test_timestamps.csv": "narration_id,participant_id,video_id\nP01_11_0,P01,P01_11\n",
    "EPIC_100_verb_classes.csv": 'id,key,instances,category\n0,take,"[\'take\']",retrieve\n'
                                 '3,open,"[\'open\']",access\n6,turn-on,[],access\n',
    "EPIC_100_noun_classes.csv": "id,key,instances,category\n2,plate,[],x\n3,door,[],x\n",
}
ACTIVITYNET = {"activity_net.v1-3.min.json": {
    "version": "VERSION 1.3", "taxonomy": [], "database": {
        "sJFgo9H6zNo": {"subset": "training", "duration": 128.84, "url": "",
                        "annotations": [{"segment": [0.01, 125.59], "label": "Fun sliding down"}]},
        "V1zhqaGFY2A": {"subset": "validation", "duration": 20.0, "annotations": [
            {"segment": [1, 9.5], "label": "Tai chi"}, {"segment": [11, 19], "label": "Tai chi"}]},
        "hidden": {"subset": "testing", "duration": 9.0, "annotations": []}}}}
AVA = {
    "ava_train_v2.2.csv": "-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80,1\n"
                          "-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,9,1\n"
                          "-5KQ66BBWC4,0903,0.226,0.032,0.366,0.497,12,0\n"
                          "-5KQ66BBWC4,0904,0.226,0.032,0.366,0.497,12,0\n",
    "ava_val_v2.2.csv": "1j20qq1JyX4,0902,0.002,0.118,0.714,0.977,12,3\n",
    "ava_train_excluded_timestamps_v2.2.csv": "-5KQ66BBWC4,0904\nAYebXQ8eUkM,1584\n",
    "ava_action_list_v2.2.pbtxt":
        'label {\n  name: "answer phone"\n  label_id: 9\n  label_type: OBJECT_MANIPULATION\n}\n'
        'label {\n  name: "stand"\n  label_id: 12\n  label_type: PERSON_MOVEMENT\n}\n'
        'label {\n  name: "watch (a person)"\n  label_id: 80\n}\n',
    "ava_action_list_v2.2_for_activitynet_2019.pbtxt":
        'item {\n  name: "stand"\n  id: 12\n}\nitem {\n  name: "watch (a person)"\n  id: 80\n}\n',
}
KINETICS_BOXES = {
    "kinetics_train_v1.0.csv": "zzzzzzzzzzz,0004,0.1,0.2,0.5,0.9,12,0\nyyyyyyyyyyy,0009,,,,,,\n",
}


def write(folder, files, **changes):
    for name, content in (files | changes).items():
        if content is not None:
            text = content if isinstance(content, str) else json.dumps(content)
            (folder / name).write_bytes(text.encode())
    return folder
