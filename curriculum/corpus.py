"""Small texts of the project's own making: a seeded grammar writes them. They are no real reviews or news.

The lessons use them where no real data is given. They are easier than real texts: the grammar knows few sentences.
"""

import random

FILMS = ("the old harbour", "seven bridges", "a winter in may", "the last lamp", "north of nowhere", "paper moons")
GOOD = ("wonderful", "moving", "clever", "warm", "brilliant", "gripping", "funny", "beautiful")
BAD = ("dull", "clumsy", "boring", "empty", "annoying", "tired", "lifeless", "awful")
PARTS = ("story", "acting", "music", "ending", "camera work", "dialogue", "cast", "script")
FILLER = (
    "we saw it on a rainy evening",
    "the cinema was half full",
    "it runs for two hours",
    "my friends wanted to see it",
    "it was filmed in a small town",
    "the director is still young",
)

TOPICS = ("world", "sports", "business", "science")
_NEWS = {
    "world": (
        ("the president", "the minister", "the parliament", "the embassy", "the rebels", "the united nations"),
        ("signed a treaty with", "called for an election in", "sent an envoy to", "closed the border to"),
        ("the neighbouring country", "the capital", "the southern province", "the island republic"),
    ),
    "sports": (
        ("the home team", "the champion", "the young striker", "the coach", "the goalkeeper", "the sprinter"),
        ("won the match against", "lost the final to", "scored twice against", "broke the record of"),
        ("the league leaders", "the title holder", "the visitors", "the rival club"),
    ),
    "business": (
        ("the bank", "the airline", "the retailer", "the oil company", "the investors", "the central bank"),
        ("raised the price of", "sold its shares in", "reported a profit from", "cut the costs of"),
        ("the merger", "the quarter", "the loan", "the stock market"),
    ),
    "science": (
        ("the researchers", "the telescope", "the software maker", "the laboratory", "the engineers", "the probe"),
        ("discovered a signal from", "tested a chip for", "published a study of", "launched a rocket to"),
        ("the planet", "the human cell", "the new network", "the deep sea"),
    ),
}
_DAYS = ("on monday", "on friday", "this week", "last night", "after long talks", "as was expected")
_TURNS = ("a wonderful", "a brilliant", "a gripping", "a dull", "an awful", "a tired")


def reviews(number: int, seed: int, noise: float = 0.05) -> tuple[list[str], list[int]]:
    """Film reviews and whether they are favourable (1) or not (0).

    A third of the judgements is negated ("not dull"), a review may hold one judgement against its verdict, and a share
    `noise` of the labels is wrong.
    """
    rng = random.Random(f"reviews {seed}")
    texts, labels = [], []
    for index in range(number):
        good = index % 2 == 1

        def judgement(good: bool) -> str:
            part = rng.choice(PARTS)
            if rng.random() < 1 / 3:
                return f"the {part} is not {rng.choice(BAD if good else GOOD)}"
            return f"the {part} is {rng.choice(GOOD if good else BAD)}"

        sentences = [judgement(good), judgement(good), rng.choice(FILLER)]
        if rng.random() < 0.4:
            sentences.append(f"only {judgement(not good)}")
        rng.shuffle(sentences)
        texts.append(f"{rng.choice(FILMS)} . " + " . ".join(sentences) + " .")
        labels.append(int(good != (rng.random() < noise)))
    order = list(range(number))
    rng.shuffle(order)
    return [texts[i] for i in order], [labels[i] for i in order]


# What is judged, by whom, in which words: films, and hotels, whose reviewers share half of the judging words.
_THINGS = {
    "film": (GOOD, BAD, PARTS, FILLER),
    "hotel": (
        ("wonderful", "warm", "brilliant", "beautiful", "clean", "quiet", "friendly", "spacious"),
        ("empty", "annoying", "tired", "awful", "dirty", "noisy", "rude", "cramped"),
        ("room", "breakfast", "staff", "view", "bed", "bath", "garden", "lobby"),
        ("we stayed for three nights", "it stands near the station", "my parents booked it", "it has four floors"),
    ),
}
PLAIN = ("the {part} is {fits}", "it has a {fits} {part}", "what a {fits} {part}")
TURNED = (
    "the {part} is not {denied} but {fits}",
    "the {part} is {fits} , not {denied}",
    "the {part} is anything but {denied} , it is {fits}",
    "i expected the {part} to be {denied} , and it was {fits}",
    "the {part} is {fits} rather than {denied}",
    "far from {denied} , the {part} is {fits}",
)


def opinions(
    number: int, seed: int, thing: str = "film", forms: tuple[str, ...] = TURNED, filler: float = 0.3
) -> tuple[list[str], list[int]]:
    """Short reviews of a "film" or a "hotel", one judgement each, and whether it is favourable (1) or not (0).

    forms: TURNED ones name a good and a bad word, one of them denied, so only the words' order tells the verdict: with the two words
    exchanged it is the opposite. PLAIN ones name one word. filler: how often a sentence that judges nothing stands before.
    """
    rng = random.Random(f"opinions {thing} {seed}")
    good, bad, parts, fillers = _THINGS[thing]
    texts, labels = [], []
    for _ in range(number):
        label = rng.randrange(2)
        fits, denied = rng.choice(good if label else bad), rng.choice(bad if label else good)
        text = rng.choice(forms).format(part=rng.choice(parts), fits=fits, denied=denied)
        before = f"{rng.choice(fillers)} . " if rng.random() < filler else ""
        texts.append(f"{before}{text} .")
        labels.append(label)
    return texts, labels


def news(number: int, seed: int) -> tuple[list[str], list[int]]:
    """Short news and their topic, an index into TOPICS; a second sentence may come from another topic.

    Critics appear in them ("the critics saw a wonderful turn for the champion"), so some of the words of reviews occur too.
    """
    rng = random.Random(f"news {seed}")
    texts, labels = [], []
    for _ in range(number):
        topic = rng.randrange(4)
        subjects, verbs, objects = _NEWS[TOPICS[topic]]
        sentences = [f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(objects)} {rng.choice(_DAYS)}"]
        sentences.append(f"the critics saw {rng.choice(_TURNS)} turn for {rng.choice(subjects)}")
        if rng.random() < 0.3:
            other = _NEWS[rng.choice(TOPICS)]
            sentences.append(f"{rng.choice(other[0])} had no comment")
        texts.append(" . ".join(sentences) + " .")
        labels.append(topic)
    return texts, labels


def story(sentences: int, seed: int) -> str:
    """A text to learn writing from: short sentences about animals, with a full stop and a line end each."""
    rng = random.Random(f"story {seed}")
    animals = ("fox", "owl", "hare", "bear", "crow", "mouse")
    places = ("in the wood", "by the river", "under the moon", "on the hill", "near the old mill")
    lines = []
    for _ in range(sentences):
        one, two = rng.sample(animals, 2)
        form = rng.randrange(4)
        if form == 0:
            lines.append(f"The {one} met the {two} {rng.choice(places)}.")
        elif form == 1:
            lines.append(f"The {one} asked: where is the {two}?")
        elif form == 2:
            lines.append(f"The {two} slept {rng.choice(places)}, and the {one} sang.")
        else:
            lines.append(f"At night the {one} walked {rng.choice(places)}.")
    return "\n".join(lines) + "\n"


def subscribers(number: int, seed: int) -> str:
    """A csv with a header and `number` subscribers of a film service that does not exist, about one in six of whom left.

    Columns: id; age, with gaps; plan and city, some cities rare; minutes watched last week, from 0 to many; ratings, any
    number of them, as "4 5 3"; voucher, a code that a few share and that means nothing; left, yes or no. Who left follows
    from the ratings (above all the last ones), minutes, plan and age, and from chance.
    """
    import numpy as np

    draw = np.random.default_rng(seed)
    cities = ("Arden", "Belmont", "Corvo", "Dunmore", "Elsing", "Fenwick", "Garth", "Holm", "Iver", "Jarrow")
    shares = np.array([30, 22, 16, 12, 8, 5, 3, 2, 1, 1]) / 100
    lines = ["id,age,plan,city,minutes,ratings,voucher,left"]
    for row in range(number):
        age = int(np.clip(draw.normal(38, 13), 18, 85))
        plan = draw.choice(["basic", "standard", "family"], p=[0.45, 0.35, 0.2])
        minutes = int(draw.lognormal(4.6, 1.1))
        taste = draw.normal(3.6, 0.7)
        ratings = np.clip(np.round(draw.normal(taste, 0.9, draw.integers(0, 13))), 1, 5).astype(int)
        liked = ratings[-3:].mean() if len(ratings) else 3.3
        odds = (
            1.6 * (3.3 - liked) - 0.6 * np.log((minutes + 10) / 110) + (plan == "basic") * 0.7 - 0.02 * (age - 38) - 2.3
        )
        left = "yes" if draw.random() < 1 / (1 + np.exp(-odds)) else "no"
        shown = "" if draw.random() < 0.12 else str(age)
        code = f"V{draw.integers(number // 3):04d}"
        city = draw.choice(cities, p=shares)
        lines.append(f"{row + 1},{shown},{plan},{city},{minutes},{' '.join(map(str, ratings))},{code},{left}")
    return "\n".join(lines) + "\n"
