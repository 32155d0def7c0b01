"""A believable shop to try things on: a French house for tea and tableware."""
