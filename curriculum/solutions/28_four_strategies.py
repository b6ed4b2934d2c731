"""Solution of exercise 28."""


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
