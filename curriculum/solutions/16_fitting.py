"""Solution of exercise 16."""


def precision_and_recall(alarm, ill):
    hits = (alarm & ill).sum().item()
    return hits / max(1, alarm.sum().item()), hits / max(1, ill.sum().item())


def bias_and_variance(answers, truth):
    mean = answers.mean(dim=0)
    bias = ((mean - truth) ** 2).mean().item()
    variance = ((answers - mean) ** 2).mean().item()
    return bias, variance


def best_decay(own, held_out):
    best, lowest = None, float("inf")
    for decay, losses in sorted(held_out.items()):
        mean = sum(losses) / len(losses)
        if mean < lowest:
            best, lowest = decay, mean
    return best
