"""What the reports of a run, a comparison and a decision have in common: pictures, timeline, attestation, settings."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui import colours
from hilgui.cornercases import badness
from hilgui.records import Finding, Kind
from hilgui.report.attested import attested_in_words, bench_check_in_words
from hilgui.report.charts import Lane, timeline
from hilgui.report.document import Charts, Facts, Part, Picture, Pictures, Section, Verbatim
from hilgui.report.pictures import crop_box, overlays_of
from hilgui.store import RunReader

PICTURED = 6
_FULL_PX, _HEIGHT_PX = 900, 420
_QUALITY = 85
_LANES = 24  # kinds and models in the timeline

Pixels = NDArray[np.uint8]


def figure(value: float | None, digits: int = 3) -> str:
    """Write a number for a table; what is not known is a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:.{digits}f}" if abs(value) < 100 else f"{value:,.0f}"


def signed(value: float | None, digits: int = 3) -> str:
    """Write a difference with its sign."""
    return "–" if value is None or not math.isfinite(value) else f"{value:+z.{digits}f}".replace("-", "−")


def between(low: float | None, high: float | None, digits: int = 3) -> str:
    """Write an interval."""
    return "–" if low is None or high is None else f"{signed(low, digits)}\u00a0…\u00a0{signed(high, digits)}"


def words(name: str) -> str:
    """Write an identifier as people say it."""
    return name.replace("_", " ")


def worst_pictures(findings: Iterable[tuple[RunReader, Finding]], most: int = PICTURED) -> Pictures | None:
    """Picture the worst findings that have a kept frame, one kind and model at most twice; None where there is none."""
    told: dict[tuple[str, str], int] = {}
    pictures: list[Picture] = []
    for reader, finding in sorted(findings, key=lambda pair: badness(pair[1])):
        key = (finding.kind.value, str(finding.role))
        if told.get(key, 0) >= 2 or len(pictures) >= most:
            continue
        picture = picture_of(reader, finding)
        if picture is not None:
            told[key] = told.get(key, 0) + 1
            pictures.append(picture)
    note = (
        "Left the frame, right the object. White: truth, blue: baseline, orange: candidate, red: missed, violet: "
        "phantom; what the finding is about is drawn thick."
    )
    return Pictures(tuple(pictures), note) if pictures else None


def picture_of(reader: RunReader, finding: Finding) -> Picture | None:
    """Draw the boxes into the worst frame of a finding; None where no picture was kept or it cannot be decoded."""
    jpeg, moment = reader.picture(finding.worst_seq), reader.moment(finding.worst_seq)
    image = None if jpeg is None else cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None or moment is None:
        return None
    pixels = np.asarray(image, np.uint8)
    height, width = pixels.shape[:2]
    overlays = overlays_of(finding, moment, reader.header)
    above = sorted(overlays, key=lambda each: (each.is_subject, each.style in ("missed", "phantom")))
    thick = [3 if each.is_subject else 2 if each.style == "missed" else 1 for each in above]
    boxes = [(each.box, colours.ON_PICTURE[each.style], px) for each, px in zip(above, thick, strict=True)]
    views = [_view(pixels, (0, 0, width, height), boxes, _FULL_PX)]
    around = crop_box(finding, width, height)
    if around is not None:
        views.append(_view(pixels, around, boxes, _FULL_PX // 2))
    tall = max(view.shape[0] for view in views)
    strips = [np.pad(view, ((0, tall - view.shape[0]), (0, 8), (0, 0)), constant_values=255) for view in views]
    is_made, coded = cv2.imencode(".jpg", np.concatenate(strips, axis=1)[:, :-8], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not is_made:
        return None
    camera = f", camera {finding.channel}" if finding.channel else ""
    at = f" at {finding.worst_s:.2f} s" if math.isfinite(finding.worst_s) else ""
    role = f" · {finding.role.value}" if finding.role else ""
    title = f"{words(finding.kind.value)} ({finding.severity.label}){role}"
    why = finding.why if finding.why.endswith((".", "!", "?")) else f"{finding.why}."
    text = f"{why} Frame {finding.worst_seq}{at}{camera}, run {reader.header.run_id}, finding {finding.number}."
    return Picture(coded.tobytes(), title[:1].upper() + title[1:], text)


def _view(
    image: Pixels,
    part: tuple[float, float, float, float],
    boxes: Sequence[tuple[tuple[float, float, float, float], str, int]],
    widest: int,
) -> Pixels:
    """Cut a part out, bring it to the size of the page, and draw the boxes that touch it."""
    left, top, right, bottom = (round(value) for value in part)
    cut = image[top:bottom, left:right]
    scale = min(widest / cut.shape[1], _HEIGHT_PX / cut.shape[0])
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    drawn = cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    for (x1, y1, x2, y2), colour, thick_px in boxes:
        corners = [round((x - left) * scale) for x in (x1, x2)], [round((y - top) * scale) for y in (y1, y2)]
        (a, c), (b, d) = corners
        blue_green_red = tuple(int(colour[at : at + 2], 16) for at in (5, 3, 1))
        cv2.rectangle(drawn, (a, b), (c, d), blue_green_red, thick_px, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)


def findings_chart(reader: RunReader, findings: Sequence[Finding]) -> Charts | None:
    """Draw when the findings of a run happened, a lane a kind and model; None where there are none."""
    if not findings:
        return None
    is_timed = all(math.isfinite(each.first_s) and math.isfinite(each.last_s) for each in findings)
    groups: dict[tuple[int, str], list[Finding]] = {}
    kinds = list(Kind)
    for each in findings:
        groups.setdefault((kinds.index(each.kind), each.role.value if each.role else ""), []).append(each)
    lanes = [
        Lane(
            words(kinds[kind].value) + (f" · {role}" if role else ""),
            role or "text_soft",
            tuple(
                (each.first_s, each.last_s, f"{each.number}: {each.why}")
                if is_timed
                else (float(each.first_seq), float(each.last_seq), f"{each.number}: {each.why}")
                for each in groups[kind, role]
            ),
        )
        for kind, role in sorted(groups)[:_LANES]
    ]
    line = reader.timeline()
    ends = line.time_s if is_timed else line.seq
    first, last = (float(ends[0]), float(ends[-1])) if len(ends) else (0.0, 1.0)
    note = "Blue: of the baseline, orange: of the candidate, grey: of the drive or of both. At the right how many."
    return Charts((timeline(lanes, first, last, "s" if is_timed else "frame"),), note)


def attestation(readers: Sequence[RunReader]) -> Section:
    """Say what really ran: models, hashes, providers, libraries, for each run."""
    parts: list[Part] = []
    for reader in readers:
        header = reader.header
        rows = [("run", header.run_id)] if len(readers) > 1 else []
        rows += [("ran on", sentence) for sentence in attested_in_words(header)]
        rows += [
            (f"{role.value} sha256", f"{facts.sha256} ({facts.name})") for role, facts in sorted(header.models.items())
        ]
        rows.append(("drive sha256", f"{header.source.sha256} ({header.source.name})"))
        rows += [("camera", name) for name in header.source.channels]
        if header.truth is not None:
            rows.append(("labels sha256", f"{header.truth.sha256} ({header.truth.path})"))
        if header.noise:
            rows.append(("noise of", str(header.noise.get("run_id", "–"))))
        rows.append(("bench check", bench_check_in_words(header)))
        rows.append(("software", f"hilgui {header.version}" + (f", commit {header.commit}" if header.commit else "")))
        rows.append(("host", " · ".join(f"{name} {value}" for name, value in header.host.items())))
        people = [header.people.operator, header.people.bench, header.people.device_under_test]
        if any(people):
            rows.append(("operator, bench, device", " · ".join(each for each in people if each)))
        parts.append(Facts(tuple(rows)))
    return Section("Attestation: what ran where", tuple(parts))


def settings(reader: RunReader) -> Section:
    """Give the command and every setting of a run."""
    header = reader.header
    plain = json.dumps(header.settings, indent=1, ensure_ascii=False, sort_keys=True)
    rows = (("speed, workers", f"{header.speed}, {header.workers}"), ("classes judged", ", ".join(judged(reader))))
    return Section("Settings", (Facts(rows), Verbatim(f"$ {shlex.join(header.command)}"), Verbatim(plain)))


def judged(reader: RunReader) -> list[str]:
    """Name the classes that a run compares."""
    return [reader.header.vocabulary.names[index] for index in sorted(reader.header.vocabulary.judged)]
