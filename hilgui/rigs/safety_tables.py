"""What docs/safety.md says beside the measured figures: guarantees, faults, attacks, each with the test that shows it.

A row without a test says so; `tests/unit/rigs/test_selftest.py` looks that every named test exists.
"""

from __future__ import annotations

MISSING = "missing"

_SUPERVISOR = "tests/unit/rigs/test_supervisor.py"
_LONG = "tests/unit/rigs/test_supervisor_long.py"
_TRANSPORT = "tests/unit/rigs/test_transport.py"
_DRIVERS = "tests/contract/test_rig_drivers.py"
_LIVE = "tests/flow/test_live.py"
_METRICS = "tests/flow/test_metrics.py"
_RUN = "tests/flow/test_run.py"
_ENGINE = "tests/flow/test_engine.py"
_WATCHDOG = "tests/flow/test_watchdog.py"
_SESSION = "tests/unit/inference/test_session.py"
_INFERENCE = "tests/unit/inference/test_"
_SOURCES = "tests/unit/sources/test_"
_CASES = "tests/unit/cornercases/test_"
_TRUTH = "tests/unit/truth/test_"
_RIGS = "tests/unit/rigs/test_"

Row = tuple[str, str, str]

STATES: tuple[Row, ...] = (
    ("SHADOW (at boot)", "queries only, by each driver's allowlist", "a person selects the rig → SAFE"),
    ("SAFE", "off, read back within 1 s", "first confirmation → ARMING"),
    ("ARMING", "none", "second confirmation within 30 s → ARMED, else SAFE"),
    ("ARMED", "what profile and cage let through", "silence of 500 ms, STOP, fault → STOPPING; 10 min idle → SAFE"),
    ("HOLD (stop category 2)", "motion stopped, power on", "explicit resume → ARMED"),
    ("STOPPING (category 1)", "decelerate, then off", "done within 1 s, else power cut (category 0) → LATCHED"),
    ("LATCHED", "off; survives a restart", "a person resets it when the cause is gone → SAFE"),
)

GUARANTEES: tuple[Row, ...] = (  # not measured by the self-test of the rig
    (
        "acknowledged evidence survives kill -9",
        "0 records lost (3 kills always, 100 in the slow test)",
        f"{_ENGINE}::test_a_killed_engine_loses_no_acknowledged_frame",
    ),
    (
        "wrong execution provider",
        "found before frame 1",
        "tests/flow/test_cli.py::test_a_provider_asked_for_by_name_that_is_not_there_is_refused",
    ),
    ("late camera", "noticed within max(3 periods, 250 ms)", f"{_LIVE}::test_a_silent_camera_is_noticed_in_time"),
    ("frozen camera", "a finding", f"{_CASES}frame_faults.py::test_a_picture_that_repeats_while_moving_is_frozen"),
    (
        "any doubt → the verdict",
        "never PASS",
        f"{_RUN}::test_a_frame_that_cannot_be_decoded_makes_the_run_inconclusive",
    ),
)

STATE_TESTS: tuple[Row, ...] = (
    (
        "every state, every input",
        "no output without two confirmations; LATCHED left by reset only",
        f"{_RIGS}arming.py::test_all_orderings_of_four_inputs_need_two_confirmations",
    ),
    (
        "HOLD and resume",
        "outputs hold, commands refused, then ARMED again",
        f"{_LONG}::test_a_pause_holds_refuses_and_resumes",
    ),
    (
        "HOLD while the front end is silent",
        "LATCHED",
        f"{_LONG}::test_a_hold_ends_latched_when_the_front_end_falls_silent",
    ),
    ("no second confirmation within the limit", "SAFE", f"{_LONG}::test_a_missing_second_confirmation_ends_in_safe"),
    ("idle for longer than the limit", "SAFE", f"{_LONG}::test_an_idle_rig_goes_back_to_safe"),
    ("a stop that fails", "category 0, LATCHED", f"{_LONG}::test_a_stop_that_fails_cuts_the_power"),
    (
        "device without dead-man behind a relay (cut_by)",
        "may be armed; the relay drops",
        f"{_LONG}::test_a_device_behind_a_relay_loses_its_power",
    ),
    ("profile renamed after a latch", "LATCHED", f"{_LONG}::test_a_renamed_profile_finds_the_latch_of_its_devices"),
    (
        "a person at a terminal",
        "arms, moves, resets; a script cannot",
        f"{_LONG}::test_a_person_at_a_terminal_arms_moves_stops_and_resets",
    ),
    (
        "engine runs another model or provider than the case",
        "not armed",
        f"{_LONG}::test_an_engine_that_runs_something_else_is_not_armed",
    ),
)

FAULTS: tuple[Row, ...] = (
    (
        "camera unplugged",
        "LOST, bounded reconnect, counted",
        f"{_LIVE}::test_an_unplugged_camera_is_noticed_comes_back_and_its_gap_is_counted",
    ),
    (
        "camera stays away",
        "ERROR with its sentence",
        f"{_LIVE}::test_a_camera_that_stays_away_ends_the_run_with_its_sentence",
    ),
    (
        "frozen frames",
        "a finding, by content",
        f"{_CASES}frame_faults.py::test_a_picture_that_repeats_while_moving_is_frozen",
    ),
    (
        "dropped frames",
        "counted, INCONCLUSIVE",
        f"{_LIVE}::test_a_session_whose_models_are_too_slow_drops_counts_and_is_inconclusive",
    ),
    (
        "stamps that jump, stand still or go back",
        "a finding, left out of timing",
        f"{_CASES}picture_faults.py::test_time_that_stands_still_goes_back_or_jumps_is_at_fault",
    ),
    (
        "exposure step",
        "a drift finding, the rig suspected; no pass or fail",
        f"{_CASES}drift.py::test_a_picture_that_darkens_for_good_drifts_and_the_rig_is_suspected",
    ),
    (
        "cable pulled mid-command",
        "outcome unknown, LATCHED",
        f"{_SUPERVISOR}::test_a_pulled_cable_latches_and_the_command_under_way_is_unknown_or_refused",
    ),
    ("stalled device", "bounded write, LATCHED", f"{_SUPERVISOR}::test_a_stalled_device_latches"),
    (
        "endless garbage without a line end",
        "capped, total deadline",
        f"{_TRANSPORT}::test_a_flood_without_a_line_end_is_cut_at_the_limit",
    ),
    ("wrong device or version", "refused by identity", f"{_DRIVERS}::test_another_device_is_found_out"),
    ("two programs on one port", "second refused", f"{_TRANSPORT}::test_a_second_program_is_refused"),
    (
        "two hilgui on one rig",
        "second refused, latch and record untouched",
        f"{_SUPERVISOR}::test_a_rig_that_another_program_holds_is_refused_and_its_record_is_not_touched",
    ),
    (
        "disk full",
        "the run stops, what is stored is readable",
        f"{_RUN}::test_a_full_disk_stops_the_run_and_keeps_what_is_stored",
    ),
    (
        "engine killed",
        "acknowledged frames readable, the run closed",
        f"{_ENGINE}::test_a_killed_engine_loses_no_acknowledged_frame",
    ),
    ("engine ends while armed", "LATCHED", f"{_SUPERVISOR}::test_an_engine_that_ends_stops_the_rig"),
    (
        "out of GPU memory",
        "session discarded, started once more, then ERROR",
        f"{_INFERENCE}faults.py::test_a_session_that_finds_no_room_again_ends_the_run",
    ),
    (
        "memory of the process",
        "the run ends as ERROR",
        f"{_WATCHDOG}::test_memory_beyond_the_limit_ends_the_run_and_far_beyond_it_the_process",
    ),
    (
        "provider falls back to the CPU",
        "refused where asked for by name",
        f"{_INFERENCE}model.py::test_a_provider_that_was_asked_for_runs_or_is_missing_never_replaced",
    ),
    (
        "inference hangs",
        "ended through the run options: ERROR",
        f"{_WATCHDOG}::test_a_loop_without_end_ends_the_run_as_error_and_not_the_engine",
    ),
    (
        "inference hangs and does not listen",
        "the engine is ended: ERROR",
        f"{_WATCHDOG}::test_an_operator_that_looks_at_nobody_ends_the_engine",
    ),
    (
        "native crash in a model",
        "ERROR, the next run works",
        f"{_ENGINE}::test_a_native_crash_ends_the_run_with_an_error_and_the_next_run_works",
    ),
    (
        "corrupt video, bag",
        "refused or counted, never PASS unseen",
        f"{_SOURCES}fuzz.py::test_damage_is_refused_or_counted",
    ),
    (
        "corrupt labels",
        "one sentence with file and place",
        f"{_TRUTH}damaged_labels.py::test_damage_ends_in_labels_or_in_truth_broken",
    ),
    ("corrupt model", "one sentence", f"{_INFERENCE}onnx_file.py::test_damaged_files_are_read_or_refused"),
    (
        "file larger than memory",
        "refused or streamed, bounded memory",
        f"{_SOURCES}larger_than_memory.py::test_a_recording_larger_than_memory_is_one_sentence_in_bounded_memory",
    ),
    (
        "wall clock steps",
        "order follows the monotonic clock and the chain",
        "tests/unit/evidence/test_journal.py::test_a_clock_that_is_set_back_does_not_turn_the_order",
    ),
    (
        "wall clock steps (self-check)",
        "a check from the future does not count",
        "tests/unit/pipeline/test_selfcheck.py::test_a_header_carries_the_check_of_the_last_24_hours_only",
    ),
    (
        "wall clock steps (run)",
        "noted in the run; order stays",
        f"{_RUN}::test_a_wall_clock_that_is_set_during_a_run_is_noted_and_turns_no_order",
    ),
    (
        "wall clock steps (rig)",
        "in the rig's journal; trips nothing",
        f"{_LONG}::test_a_wall_clock_that_is_set_goes_into_the_journal_and_trips_nothing",
    ),
    ("GUI stalls", "logged", "tests/gui/test_stall_watch.py::test_a_slot_that_sleeps_is_logged"),
    ("GUI stalls while armed", "LATCHED", f"{_RIGS}selftest.py::test_a_front_end_that_is_lost_stops_the_rig"),
    ("front end silent", "LATCHED", f"{_SUPERVISOR}::test_a_front_end_that_falls_silent_stops_the_rig"),
    (
        "supervisor killed",
        "dead-man; LATCHED",
        f"{_SUPERVISOR}::test_a_killed_supervisor_leaves_a_safe_device_and_comes_back_latched",
    ),
    (
        "no dead-man on a hazardous device",
        "not armed",
        f"{_SUPERVISOR}::test_a_hazardous_device_without_a_dead_man_is_not_armed",
    ),
    ("reading beyond a limit", "STOP by the cage", f"{_SUPERVISOR}::test_a_reading_beyond_the_limit_stops_the_rig"),
    (
        "command older than 250 ms",
        "discarded, counted",
        f"{_SUPERVISOR}::test_the_cage_refuses_a_value_and_a_stale_command_and_both_are_counted",
    ),
    (
        "a driver fails while outputs are on",
        "power cut on the wire before the port is closed, LATCHED",
        f"{_RIGS}device.py::test_a_driver_that_fails_while_an_output_is_on_leaves_a_cut_on_the_wire",
    ),
    (
        "a hold on a device that cannot hold",
        "the next stronger stop",
        f"{_RIGS}device.py::test_a_hold_is_done_by_the_next_stronger_stop_that_a_device_has",
    ),
    (
        "front end killed (files)",
        "no shared memory stays behind",
        "tests/unit/test_shared_memory.py::test_a_killed_front_end_leaves_no_shared_memory_behind",
    ),
    ("latch file damaged", "LATCHED", f"{_RIGS}arming.py::test_a_latch_file_that_cannot_be_read_is_a_latch"),
)

ATTACKS: tuple[Row, ...] = (
    (
        "ONNX external data outside the folder",
        "refused before onnxruntime sees it",
        f"{_SESSION}::test_weights_outside_the_folder_of_the_model_are_not_read",
    ),
    (
        "compute or memory bomb",
        "ended in a limited process of its own",
        f"{_INFERENCE}preflight.py::test_a_bomb_of_a_hundred_bytes_ends_in_a_sentence",
    ),
    (
        "settings inside the model's metadata",
        "not taken",
        f"{_SESSION}::test_settings_inside_the_metadata_are_not_taken",
    ),
    ("custom operators", "not loaded", f"{_SESSION}::test_a_model_with_an_operator_that_nobody_knows"),
    (
        "silent CPU fallback",
        "nodes and time of one profiled run",
        f"{_INFERENCE}attestation.py::test_a_model_tells_which_provider_took_its_nodes",
    ),
    (
        "a video that is a playlist of files",
        "refused by content",
        f"{_SOURCES}video.py::test_a_playlist_with_the_name_of_a_video_is_refused",
    ),
    ("XML entities", "refused", f"{_TRUTH}damaged_labels.py::test_xml_that_attacks_is_refused"),
    (
        "YAML aliases",
        "refused",
        f"{_TRUTH}classmap.py::test_aliases_that_would_unfold_to_gigabytes_are_refused_at_once",
    ),
    (
        "zip slip and bombs",
        "refused, nothing is unpacked",
        "tests/unit/evidence/test_bundle.py::test_slips_bombs_and_huge_sizes_get_one_sentence",
    ),
    (
        "pickles under any name (models, labels, recordings, bundles)",
        "never loaded",
        "tests/unit/test_pickles.py::test_a_pickle_is_never_loaded",
    ),
    ("NaN in JSON (labels)", "refused", f"{_TRUTH}coco.py::test_broken_labels_say_what_is_wrong"),
    (
        "NaN in JSON (evidence)",
        "refused",
        "tests/unit/evidence/test_bundle.py::test_attachments_have_to_be_json",
    ),
    ("HTML in names (reports)", "escaped", "tests/unit/report/test_html.py::test_what_people_typed_is_escaped"),
    (
        "HTML in names (Qt)",
        "plain text in every label, tip and title",
        "tests/gui/test_plain_text.py::test_no_label_of_the_window_takes_its_text_for_html",
    ),
    ("formulas in CSV", "quoted", "tests/unit/report/test_exports.py::test_csv_defuses_formulas"),
    (
        "control characters into serial commands",
        "refused by the typed encoder",
        "tests/unit/devices/test_scpi.py::test_the_encoder_lets_no_text_end_or_chain_a_line",
    ),
    (
        "metrics endpoint",
        "binds loopback unless told otherwise; only GET /metrics, one at a time, 2 s and 4 KiB; no run waits for it",
        f"{_METRICS}::test_only_get_metrics_is_answered_within_its_time_and_on_loopback",
    ),
    (
        "log rewritten or cut",
        "hash chain, checkpoints",
        "tests/unit/evidence/test_journal.py::test_tampering_is_found_and_named",
    ),
)
