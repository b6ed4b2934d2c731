"""Solutions of exercises 28."""


def load_matching(model, weights):
    own = model.state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict(own | fitting)
    return sorted(set(own) - set(fitting))


def rank(films, probabilities, least):
    groups = {}
    for film, probability in zip(films, probabilities, strict=True):
        groups.setdefault(film, []).append(probability)
    means = {film: sum(values) / len(values) for film, values in groups.items() if len(values) >= least}
    return sorted(means, key=lambda film: -means[film])


def train_only(model, blocks):
    chosen = tuple(f"layers.{number}." for number in blocks)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.startswith(("last.", *chosen))
    return sorted(name for name, parameter in model.named_parameters() if parameter.requires_grad)


def paired(a, b):
    differences = [two - one for one, two in zip(a, b, strict=True)]
    n = len(differences)
    mean = sum(differences) / n
    variance = sum((d - mean) ** 2 for d in differences) / (n - 1)
    return mean, (variance / n) ** 0.5
